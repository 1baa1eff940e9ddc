//! Proxies from the environment: `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`, in upper or lower case. This
//! machine itself is never reached through one.

use reqwest::{NoProxy, Proxy};

use crate::{Environment, Error};

const LOOPBACK: &str = "localhost,127.0.0.0/8,::1";

/// The proxies to use, the more specific ones first.
///
/// # Errors
/// When one of the variables is no URL.
pub(crate) fn from_environment(environment: &Environment) -> Result<Vec<Proxy>, Error> {
    let variable = |upper: &str| {
        let lower = upper.to_ascii_lowercase();
        environment.get(upper).or_else(|| environment.get(&lower)).map(str::to_owned)
    };
    let excepted = match variable("NO_PROXY") {
        Some(list) => format!("{list},{LOOPBACK}"),
        None => LOOPBACK.to_owned(),
    };
    let mut proxies = Vec::new();
    for name in ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"] {
        // A web server passes the header `Proxy` of its visitors on in this variable.
        let in_cgi = name == "HTTP_PROXY" && environment.get("REQUEST_METHOD").is_some();
        let Some(value) = variable(name).filter(|_| !in_cgi) else { continue };
        let url = if value.contains("://") { value } else { format!("http://{value}") };
        let proxy = match name {
            "HTTPS_PROXY" => Proxy::https(url),
            "HTTP_PROXY" => Proxy::http(url),
            _ => Proxy::all(url),
        };
        // The value may hold a password, so it is not shown.
        let proxy = proxy.map_err(|_| Error::Setup { problem: format!("{name} is not a URL") })?;
        proxies.push(proxy.no_proxy(NoProxy::from_string(&excepted)));
    }
    Ok(proxies)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(environment: &Environment) -> usize {
        from_environment(environment).unwrap().len()
    }

    #[test]
    fn proxies_come_from_either_case_and_not_from_web_servers() {
        let environment =
            Environment::default().with("https_proxy", "proxy:3128").with("HTTP_PROXY", "http://p");
        assert_eq!(count(&environment), 2);
        assert_eq!(count(&environment.with("REQUEST_METHOD", "GET")), 1);
        assert_eq!(count(&Environment::default()), 0);
    }

    #[test]
    fn a_bad_proxy_is_refused_without_showing_it() {
        let environment = Environment::default().with("HTTPS_PROXY", "http://u:secret@[");
        let error = from_environment(&environment).unwrap_err().to_string();
        assert_eq!(error, "Creating registry HTTP transport: HTTPS_PROXY is not a URL");
    }
}
