//! The cloud keychains that the environment asks for (section 11.3 of the reference's behaviour). This build has none of
//! them; names are checked all the same, so that a mistyped one is noticed.

/// The variable that names the keychains, separated by commas.
const ACTIVE: &str = "IMGPKG_ACTIVE_KEYCHAINS";

/// The variable that switched all cloud keychains on before they could be named.
const ENABLE_ALL: &str = "IMGPKG_ENABLE_IAAS_AUTH";

/// The keychains that the reference has.
const AVAILABLE: [&str; 4] = ["aks", "ecr", "gke", "github"];

/// A keychain that nobody has.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("Creating registry keychain: Unable to load keychain for {name}, available keychains [{}]", AVAILABLE.join(", "))]
pub(crate) struct UnknownKeychain {
    name: String,
}

/// What there is to say about the keychains that the environment asks for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct KeychainNotices {
    /// That it does so by a variable which will be no more.
    pub(crate) deprecation: Option<String>,
    /// That they are not there.
    pub(crate) absence: Option<String>,
}

/// Looks at the environment.
///
/// # Errors
/// When it names a keychain that nobody has.
pub(crate) fn notices(
    environment: impl Fn(&str) -> Option<String>,
) -> Result<KeychainNotices, UnknownKeychain> {
    let all = environment(ENABLE_ALL);
    let deprecation = all.is_some().then(|| {
        format!(
            "{ENABLE_ALL} environment variable will be deprecated, \
             please use the flag --activate-keychain to activate the needed keychains"
        )
    });
    let (variable, names) = match all.is_some_and(|value| value.eq_ignore_ascii_case("true")) {
        true => (ENABLE_ALL, AVAILABLE.join(", ")),
        false => (ACTIVE, active(&environment(ACTIVE).unwrap_or_default())?),
    };
    let absence = (!names.is_empty()).then(|| {
        format!(
            "imgpkg: Note: {variable} asks for cloud keychains ({names}), which this build does not have yet; \
             credentials come from flags, IMGPKG_* variables and Docker's configuration alone"
        )
    });
    Ok(KeychainNotices { deprecation, absence })
}

/// The names in the list, as a sentence has them.
fn active(list: &str) -> Result<String, UnknownKeychain> {
    let names: Vec<&str> = list.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
    match names.iter().find(|name| !AVAILABLE.contains(name)) {
        Some(&name) => Err(UnknownKeychain { name: name.to_owned() }),
        None => Ok(names.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noticed(variables: &[(&str, &str)]) -> Result<KeychainNotices, UnknownKeychain> {
        notices(|name| variables.iter().find(|(set, _)| *set == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn an_unknown_keychain_is_refused_in_the_references_words() {
        for (list, name) in [("foo", "foo"), ("gke, GKE", "GKE"), ("github,ec2,foo", "ec2")] {
            let error = noticed(&[(ACTIVE, list)]).unwrap_err().to_string();
            let expected = format!(
                "Creating registry keychain: Unable to load keychain for {name}, \
                 available keychains [aks, ecr, gke, github]"
            );
            assert_eq!(error, expected);
        }
    }

    #[test]
    fn known_keychains_are_said_to_be_absent() {
        let notices = noticed(&[(ACTIVE, " gke ,github,")]).unwrap();
        assert!(
            notices
                .absence
                .unwrap()
                .contains("IMGPKG_ACTIVE_KEYCHAINS asks for cloud keychains (gke, github),")
        );
        assert_eq!(notices.deprecation, None);
    }

    #[test]
    fn without_either_variable_there_is_nothing_to_say() {
        assert_eq!(noticed(&[]), Ok(KeychainNotices::default()));
        assert_eq!(noticed(&[(ACTIVE, "")]), Ok(KeychainNotices::default()));
    }

    #[test]
    fn the_old_variable_is_deprecated_whatever_its_value_and_when_true_stands_for_all() {
        for value in ["", "false", "no"] {
            let notices = noticed(&[(ENABLE_ALL, value)]).unwrap();
            assert!(notices.deprecation.is_some() && notices.absence.is_none(), "{value}");
        }
        let notices = noticed(&[(ENABLE_ALL, "True"), (ACTIVE, "foo")]).unwrap();
        assert!(notices.absence.unwrap().contains("(aks, ecr, gke, github)"));
    }
}
