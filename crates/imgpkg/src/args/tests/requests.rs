use imgpkg_registry::{ClientOptions, Environment, Secret};

use super::*;

fn refused(line: &str) -> String {
    let words: Vec<&str> = line.split_whitespace().collect();
    text(push_words(&words).request().unwrap_err())
}

#[test]
fn push_checks_in_the_order_of_the_reference() {
    let reserved =
        "label 'dev.carvel.imgpkg.bundle' is reserved and cannot be overriden. Please use a different key";
    assert_eq!(refused("-l dev.carvel.imgpkg.bundle=x -b a -i b"), reserved);
    assert_eq!(refused("-b a -i b --lock-output l"), "Expected only one of image or bundle");
    assert_eq!(refused("--lock-output l"), "Expected either image or bundle");
    assert_eq!(
        refused("-i Bad!ref --lock-output l"),
        "Lock output is not compatible with image, use bundle for lock output"
    );
    assert!(refused("-i Bad!ref").starts_with("Parsing 'Bad!ref': "));
    assert_eq!(
        refused("-b https://index.docker.io/xx/yy"),
        "Parsing 'https://index.docker.io/xx/yy': \
         Reference 'https://index.docker.io/xx/yy' should not include https:// protocol prefix"
    );
    assert!(
        refused(&format!("-b r.example/app@sha256:{}", "a".repeat(64)))
            .starts_with("Parsing 'r.example/app@sha256:")
    );
}

#[test]
fn push_of_files_says_what_goes_where() {
    let request =
        push("-b r.example/app -f a -l k=v --lock-output l.yml --preserve-permissions").request().unwrap();
    let PushRequest::Files { content, destination, lock_output } = request else { panic!("no files") };
    assert_eq!(content.kind, ImageKind::Bundle);
    assert_eq!(content.exclusions, [".git"]);
    assert_eq!(content.labels.get("k").map(String::as_str), Some("v"));
    assert!(content.preserve_permissions);
    assert_eq!(destination.to_string(), "r.example/app:latest");
    assert_eq!(lock_output, Some(PathBuf::from("l.yml")));
}

#[test]
fn push_of_a_tar_wants_one_destination_and_no_files() {
    let one = "Expected exactly one of --bundle (-b), --image (-i), or --to-repo as the destination of --tar";
    assert_eq!(refused("--tar t"), one);
    assert_eq!(refused("--tar t -b a/b --to-repo r.example/app"), one);
    assert!(refused("--tar t -b a/b -f x").starts_with("Cannot use --file with --tar"));
    assert!(
        refused("--tar t -b a/b --file-exclusion x").starts_with("Cannot use --file-exclusion with --tar")
    );
    assert!(refused("--to-repo r.example/app").starts_with("Cannot use --to-repo without --tar"));
    assert!(refused("--tar t --to-repo r.example/app:v1").starts_with("Building import repository ref: "));
    assert!(matches!(
        push("--tar t --to-repo r.example/app").request().unwrap(),
        PushRequest::Archive { destination: ArchiveDestination::Repository(repository), .. }
            if repository.to_string() == "r.example/app"
    ));
    assert!(matches!(
        push("--tar t -i r.example/app:v1").request().unwrap(),
        PushRequest::Archive { destination: ArchiveDestination::Tag { kind: ImageKind::Image, reference }, .. }
            if reference.to_string() == "r.example/app:v1"
    ));
}

#[test]
fn save_needs_a_tar_and_takes_a_name_for_it() {
    let refused = |line: &str| text(save(line).request().unwrap_err());
    assert_eq!(refused("-f x"), "required flag(s) \"to-tar\" not set");
    assert_eq!(refused("-b a -i b --to-tar t"), "Expected only one of image or bundle");
    assert_eq!(refused("-b Bad!ref --to-tar t").split(": ").next(), Some("Parsing 'Bad!ref'"));
    for line in ["--to-tar t", "-b app --to-tar t", "-i --to-tar t", "-b app -f= --to-tar t"] {
        assert_eq!(refused(line), "Expected at least one file or directory (-f)", "{line}");
    }
    let named = |line: &str| {
        let request = save(line).request().unwrap();
        (request.content.kind, request.name.map(|name| name.to_string()))
    };
    let recorded = |name: &str| Some(format!("saved.imgpkg.invalid/{name}"));
    assert_eq!(named("-f x --to-tar t"), (ImageKind::Bundle, None));
    assert_eq!(named("-b app:v1 -f x --to-tar t"), (ImageKind::Bundle, recorded("app:v1")));
    assert_eq!(
        named("-b localhost:5000/team/app -f x --to-tar t"),
        (ImageKind::Bundle, recorded("team/app:latest"))
    );
    assert_eq!(named("-i -f x --to-tar t"), (ImageKind::Image, None));
    assert_eq!(named("-i app -f x --to-tar t"), (ImageKind::Image, recorded("app:latest")));
}

#[test]
fn pull_checks_in_the_order_of_the_reference() {
    let refused = |line: &str| text(pull(line).request().unwrap_err());
    assert_eq!(refused("-b a -i b"), "required flag(s) \"output\" not set");
    assert_eq!(refused("-b a -i b --output="), "Expected --output to be none empty");
    for dear in ["/", ".", ".."] {
        let expected = "Disallowed output directory (trying to avoid accidental deletion)";
        assert_eq!(refused(&format!("-b a -i b -o {dear}")), expected);
    }
    assert_eq!(refused("-b a -i b -o out -r"), "Expected only one of image, bundle, or lock");
    assert_eq!(refused("-o out -r"), "Expected either image or bundle reference");
    assert_eq!(refused("-i a/b -r -o out"), "Cannot use --recursive (-r) flag when pulling a bundle");
    assert_eq!(
        refused("-b a/b --image-is-bundle-check=false -o out"),
        "Cannot set --image-is-bundle-check while using -b flag"
    );
    assert_eq!(
        refused("-b Bad!ref -o out"),
        "Unable to check if Bad!ref is a bundle: could not parse reference: Bad!ref"
    );
    let lock = pull("--lock l.yml -r --image-is-bundle-check=false -o out").request().unwrap();
    assert_eq!(lock.source, PullSource::Lock("l.yml".into()));
    assert!(lock.recursive && !lock.bundle_check);
}

#[test]
fn copy_checks_in_the_order_of_the_reference() {
    let refused = |line: &str| text(copy(line).request().unwrap_err());
    let source = "Expected either --lock, --bundle (-b), --image (-i), or --tar as a source";
    assert_eq!(refused("--to-tar t --to-repo r"), source);
    assert_eq!(refused("-b a -i b --to-tar t"), source);
    assert_eq!(refused("--tar a"), "Expected either --to-tar or --to-repo");
    assert_eq!(refused("--tar a --to-tar t --to-repo r"), "Expected either --to-tar or --to-repo");
    assert_eq!(
        refused("--tar a --to-tar t --lock-output l"),
        "Cannot use tar source (--tar) with tar destination (--to-tar)"
    );
    assert_eq!(refused("-b a/b --to-tar t --lock-output l"), "Cannot output lock file with tar destination");
    assert_eq!(
        refused("-b a/b --to-repo r:v1 --resume"),
        "Flag --resume can only be used when copying to tar"
    );
    assert_eq!(
        refused("-b a/b --to-repo r.example/app:v1"),
        "Building import repository ref: repository can only contain the characters \
         `abcdefghijklmnopqrstuvwxyz0123456789_-./`: app:v1"
    );
}

#[test]
fn copy_says_what_goes_where() {
    let request = copy("-b a/b:v1 --to-tar t.tar --resume --concurrency 7").request().unwrap();
    assert!(matches!(&request.source, CopySource::Bundle(bundle) if bundle.text == "a/b:v1"));
    assert_eq!(request.destination, CopyDestination::Tar { path: "t.tar".into(), resume: true });
    assert_eq!(request.concurrency.map(usize::from), Some(7));
    assert_eq!(copy("-b a/b --to-tar t").request().unwrap().concurrency, None);
}

#[test]
fn no_request_at_a_time_is_refused() {
    let refused = |line: &str| text(copy(line).request().unwrap_err());
    let copy = "-b a/b --to-tar t --concurrency";
    assert_eq!(refused(&format!("{copy} 0")), "Expected --concurrency to be at least 1, got 0");
    assert_eq!(refused(&format!("{copy}=-3")), "Expected --concurrency to be at least 1, got -3");
}

#[test]
fn describe_checks_its_output_type_first() {
    let refused = |line: &str| match run(parsed(line)).1 {
        Command::Describe(describe) => text(describe.request().unwrap_err()),
        other => panic!("not describe: {other:?}"),
    };
    assert_eq!(refused("describe -o json"), "--output-type can only have the following values [text, yaml]");
    assert_eq!(
        refused("describe"),
        "Expected --bundle (-b): Unable to check if  is a bundle: could not parse reference: "
    );
}

#[test]
fn a_tag_command_without_an_image_names_the_flag_that_is_missing() {
    let expected = "Expected --image (-i): could not parse reference: ";
    for line in ["tag list", "tag ls --image=", "tag resolve"] {
        let Command::Tag(tag) = run(parsed(line)).1 else { panic!("not tag") };
        let refused = match tag.request().unwrap() {
            TagCommand::List(list) => list.reference().unwrap_err(),
            TagCommand::Resolve(resolve) => resolve.reference().unwrap_err(),
        };
        assert_eq!(text(refused), expected, "{line}");
    }
}

#[test]
fn tag_alone_names_its_subcommands() {
    let Command::Tag(tag) = run(parsed("tag")).1 else { panic!("not tag") };
    assert_eq!(text(tag.request().unwrap_err()), "Use one of available subcommands: list, resolve");
}

#[test]
fn completion_takes_one_shell() {
    let refused = |line: &str| match run(parsed(line)).1 {
        Command::Completion(completion) => text(completion.request().unwrap_err()),
        other => panic!("not completion: {other:?}"),
    };
    assert_eq!(refused("completion"), "accepts 1 arg(s), received 0");
    assert_eq!(refused("completion bash zsh"), "accepts 1 arg(s), received 2");
    assert_eq!(refused("completion foo"), "invalid argument \"foo\" for \"imgpkg completion\"");
}

#[test]
fn serve_is_open_to_others_only_when_told_so() {
    let request = |line: &str| match run(parsed(line)).1 {
        Command::Serve(serve) => serve.request(),
        other => panic!("not serve: {other:?}"),
    };
    assert_eq!(request("serve").unwrap().listen.to_string(), "127.0.0.1:5000");
    assert_eq!(request("serve --listen localhost:0").unwrap().listen.to_string(), "127.0.0.1:0");
    assert!(
        text(request("serve --listen 0.0.0.0:5000").unwrap_err())
            .starts_with("Anyone who can reach 0.0.0.0:5000")
    );
    assert!(request("serve --listen 0.0.0.0:5000 --read-only").is_ok());
    assert!(request("serve --listen [::]:5000 --allow-anonymous-writes").is_ok());
    assert!(text(request("serve --listen x").unwrap_err()).contains("got 'x'"));
}

fn options(line: &str) -> ClientOptions {
    push(line).registry.options(Environment::default())
}

#[test]
fn registry_flags_become_the_options_of_a_client() {
    let options = options(
        "--registry-ca-cert-path a,b --registry-verify-certs=false --registry-insecure --registry-username u",
    );
    assert_eq!(options.ca_cert_paths, [PathBuf::from("a"), "b".into()]);
    assert!(!options.verify_certs && options.insecure && !options.login.anonymous);
    assert_eq!(options.login.username.as_deref(), Some("u"));
    assert_eq!((options.response_header_timeout, options.retry_count), (Duration::from_secs(30), 5));
}

#[test]
fn an_empty_credential_counts_as_not_given() {
    let login = options("--registry-username= --registry-password= --registry-token= --registry-anon").login;
    assert!(login.username.is_none() && login.password.is_none() && login.token.is_none() && login.anonymous);
}

#[test]
fn a_timeout_of_zero_is_none_and_a_retry_count_below_zero_is_zero() {
    let options = options("--registry-response-header-timeout 0 --registry-retry-count=-1");
    assert!(options.response_header_timeout > Duration::from_secs(86_400));
    assert_eq!(options.retry_count, 0);
}

#[test]
fn secrets_do_not_print() {
    let push = push("--registry-password hunter2 --registry-token hunter3 --registry-username u");
    let options = push.registry.options(Environment::default());
    assert_eq!(options.login.password, Some(Secret::from("hunter2")));
    assert!(!format!("{push:?} {options:?}").contains("hunter"));
}
