use super::*;

const IMAGE: &str = "index.docker.io/dkalinin/k8s-simple-app@sha256:4c8b96d4fffdfae29258d94a22ae4ad1fe36139d47288b8960d9958d1e63a9d0";

fn location(image: &str, is_bundle: bool) -> Location {
    Location { image: image.to_owned(), is_bundle }
}

#[test]
fn a_location_is_written_as_by_the_reference() {
    let locations = ImageLocations::new(vec![location(IMAGE, false)]);
    let expected = format!(
        "---\napiVersion: imgpkg.carvel.dev/v1alpha1\nimages:\n- image: {IMAGE}\n  isBundle: false\nkind: ImageLocations\n"
    );
    assert_eq!(locations.to_yaml(), expected);
    assert_eq!(ImageLocations::parse(expected.as_bytes()).expect("valid"), locations);
}

#[test]
fn no_locations_are_written_as_null() {
    let empty = ImageLocations::default();
    let text = empty.to_yaml();
    assert_eq!(text, "---\napiVersion: imgpkg.carvel.dev/v1alpha1\nimages: null\nkind: ImageLocations\n");
    assert_eq!(ImageLocations::parse(text.as_bytes()).expect("valid"), empty);
}

#[test]
fn locations_are_sorted_and_each_digest_is_kept_once() {
    let given = vec![
        location("z/a@sha256:1", true),
        location("b/c@sha256:1", false),
        location("a/d@sha256:2", false),
    ];
    let expected = vec![location("a/d@sha256:2", false), location("z/a@sha256:1", true)];
    assert_eq!(ImageLocations::new(given).images, expected);
}

#[test]
fn unknown_fields_are_ignored() {
    let text = format!(
        "apiVersion: imgpkg.carvel.dev/v1alpha1\nkind: ImageLocations\nnew: [1]\nimages:\n- image: {IMAGE}\n  isBundle: true\n  \
         digest: x\n"
    );
    assert_eq!(ImageLocations::parse(text.as_bytes()).expect("valid").images, [location(IMAGE, true)]);
}

#[test]
fn another_version_kind_or_type_is_an_error() {
    for text in [
        "apiVersion: imgpkg.carvel.dev/v2\nkind: ImageLocations\n",
        "apiVersion: imgpkg.carvel.dev/v1alpha1\nkind: ImagesLock\n",
    ] {
        assert!(matches!(ImageLocations::parse(text.as_bytes()), Err(Error::Validate { .. })), "{text}");
    }
    let text = "apiVersion: imgpkg.carvel.dev/v1alpha1\nkind: ImageLocations\nimages: [{isBundle: 'true'}]\n";
    assert!(matches!(ImageLocations::parse(text.as_bytes()), Err(Error::Unmarshal { .. })));
}
