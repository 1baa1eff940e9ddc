use super::*;

const IMAGE: &str = "gcr.io/a/b@sha256:4c8b96d4fffdfae29258d94a22ae4ad1fe36139d47288b8960d9958d1e63a9d0";
const VERSION: &str = "apiVersion: imgpkg.carvel.dev/v1alpha1\n";

fn parse(rest: &str) -> Result<AnyLock, Error> {
    AnyLock::parse(format!("{VERSION}{rest}").as_bytes())
}

#[test]
fn the_kind_decides() {
    let bundle = parse(&format!("kind: BundleLock\nbundle: {{image: '{IMAGE}'}}\n")).expect("valid");
    assert!(matches!(&bundle, AnyLock::Bundle(lock) if lock.image.to_string() == IMAGE));
    let images = parse(&format!("kind: ImagesLock\nimages: [{{image: '{IMAGE}'}}]\n")).expect("valid");
    assert!(matches!(&images, AnyLock::Images(lock) if lock.images.len() == 1));
    assert!(bundle.to_yaml().contains("kind: BundleLock"));
    assert!(images.to_yaml().contains("kind: ImagesLock"));
}

#[test]
fn what_is_neither_is_reported_as_an_images_lock() {
    let error = parse("kind: Other\n").expect_err("neither");
    assert_eq!(error.to_string(), "Trying to read bundle or images lock file");
    assert!(
        matches!(error, Error::Any { source } if matches!(*source, Error::Validate { document: "images lock", .. }))
    );
}

#[test]
fn a_missing_file_is_reported_once() {
    let error = AnyLock::read(Path::new("/nowhere/lock.yml")).expect_err("missing");
    assert!(matches!(error, Error::Any { source } if matches!(*source, Error::Read { .. })));
}
