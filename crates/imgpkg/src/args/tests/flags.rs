use super::*;

#[test]
fn of_a_flag_with_one_value_the_last_occurrence_counts() {
    let push = push(
        "-b a -b b --registry-retry-count 1 --registry-retry-count=2 --registry-insecure --registry-insecure=false",
    );
    assert_eq!(push.bundle.as_deref(), Some("b"));
    assert_eq!(push.registry.registry_retry_count, 2);
    assert!(!push.registry.registry_insecure);
}

#[test]
fn values_stand_behind_a_space_or_an_equals_sign_or_the_short_flag() {
    for line in ["--bundle x", "--bundle=x", "-b x", "-b=x", "-bx"] {
        assert_eq!(push(line).bundle.as_deref(), Some("x"), "{line}");
    }
}

#[test]
fn booleans_take_a_value_only_behind_an_equals_sign() {
    for (line, value) in [
        ("", true),
        ("--registry-verify-certs", true),
        ("--registry-verify-certs=false", false),
        ("--registry-verify-certs=0", false),
        ("--registry-verify-certs=f", false),
        ("--registry-verify-certs=T", true),
    ] {
        assert_eq!(push(line).registry.registry_verify_certs, value, "{line}");
    }
    assert_eq!(
        usage("push --registry-verify-certs false"),
        "command 'imgpkg push' does not accept extra arguments 'false'"
    );
}

#[test]
fn short_booleans_may_be_clustered() {
    let pull = pull("-yro out -b x");
    assert!(pull.recursive);
    assert_eq!(pull.output, Some(PathBuf::from("out")));
    assert!(!self::pull("-r=false -b x").recursive);
}

#[test]
fn a_flag_takes_the_next_word_even_if_it_looks_like_a_flag() {
    assert_eq!(push("-b --image").bundle.as_deref(), Some("--image"));
    assert_eq!(push("--registry-username -me").registry.registry_username.as_deref(), Some("-me"));
}

#[test]
fn lists_are_one_record_per_occurrence() {
    assert_eq!(files(&["-f", "a,b", "--file", "c"]), [PathBuf::from("a"), "b".into(), "c".into()]);
    assert_eq!(files(&["-f", "\"a,b\""]), [PathBuf::from("a,b")]);
    assert!(files(&["-f", ""]).is_empty());
    assert!(files(&[]).is_empty());
}

#[test]
fn the_first_exclusion_replaces_the_default_and_later_ones_append() {
    assert_eq!(exclusions(&[]), [".git"]);
    assert_eq!(exclusions(&["--file-exclusion", "a,b", "--file-exclusion", "c"]), ["a", "b", "c"]);
    assert!(exclusions(&["--file-exclusion", ""]).is_empty());
}

#[test]
fn the_older_name_of_exclusions_fills_the_same_list_and_is_reported() {
    let words = ["--file-exclude-defaults", "a", "--file-exclusion", "b", "--file-exclude-defaults", "c"];
    assert_eq!(exclusions(&words), ["a", "b", "c"]);
    assert_eq!(
        run(parsed("push --file-exclude-defaults a")).1.deprecation(),
        Some("Flag --file-exclude-defaults has been deprecated, use '--file-exclusion' instead")
    );
    assert_eq!(run(parsed("push --file-exclusion a")).1.deprecation(), None);
}

#[test]
fn labels_of_several_occurrences_merge_and_the_last_wins() {
    let labels = push("-l a=1,b=2 --labels b=3").content.checked_labels().unwrap();
    assert_eq!(labels.into_iter().collect::<Vec<_>>(), [("a".into(), "1".into()), ("b".into(), "3".into())]);
}

#[test]
fn durations_are_go_durations() {
    let timeout = |line: &str| push(line).registry.registry_response_header_timeout;
    assert_eq!(timeout(""), Duration::from_secs(30));
    assert_eq!(timeout("--registry-response-header-timeout 1m30s"), Duration::from_secs(90));
    assert_eq!(timeout("--registry-response-header-timeout 0"), Duration::ZERO);
}

#[test]
fn values_of_the_wrong_kind_are_refused_in_the_words_of_the_reference() {
    assert_eq!(
        usage("push --registry-insecure=x"),
        "invalid argument \"x\" for \"--registry-insecure\" flag: strconv.ParseBool: parsing \"x\": invalid syntax"
    );
    assert_eq!(
        usage("push --registry-retry-count x"),
        "invalid argument \"x\" for \"--registry-retry-count\" flag: strconv.ParseInt: parsing \"x\": invalid syntax"
    );
    assert_eq!(
        usage("push --registry-response-header-timeout 5"),
        "invalid argument \"5\" for \"--registry-response-header-timeout\" flag: \
         time: missing unit in duration \"5\""
    );
    assert_eq!(
        usage("push -l foo"),
        "invalid argument \"foo\" for \"-l, --labels\" flag: foo must be formatted as key=value"
    );
    assert!(
        usage("push -f a\"b").starts_with("invalid argument \"a\\\"b\" for \"-f, --file\" flag: parse error")
    );
}

#[test]
fn unknown_flags_are_named() {
    assert_eq!(usage("push --nope"), "unknown flag: --nope");
    assert_eq!(usage("push --nope=3"), "unknown flag: --nope");
    assert_eq!(usage("push -z"), "unknown shorthand flag: 'z' in -z");
    assert_eq!(usage("pull -rz"), "unknown shorthand flag: 'z' in -z");
    assert_eq!(usage("pull -zr"), "unknown shorthand flag: 'z' in -zr");
    assert_eq!(usage("version --registry-anon"), "unknown flag: --registry-anon");
    assert_eq!(usage("push --regis"), "unknown flag: --regis");
}

#[test]
fn a_flag_without_its_value_is_named() {
    assert_eq!(usage("push --file"), "flag needs an argument: --file");
    assert_eq!(usage("push -f"), "flag needs an argument: 'f' in -f");
    assert_eq!(usage("push --lock-output"), "flag needs an argument: --lock-output");
}

#[test]
fn words_that_no_command_takes_are_refused() {
    assert_eq!(usage("push x y"), "command 'imgpkg push' does not accept extra arguments 'x'");
    assert_eq!(usage("push -b r -- -x"), "command 'imgpkg push' does not accept extra arguments '-x'");
    assert_eq!(usage("bogus"), "command 'imgpkg' does not accept extra arguments 'bogus'");
    assert_eq!(usage("bogus push"), "command 'imgpkg' does not accept extra arguments 'bogus'");
    assert_eq!(usage("tag bogus"), "command 'imgpkg tag' does not accept extra arguments 'bogus'");
    assert_eq!(usage("tag ls x"), "command 'imgpkg tag list' does not accept extra arguments 'x'");
    assert_eq!(usage("version x"), "command 'imgpkg version' does not accept extra arguments 'x'");
}

#[test]
fn global_flags_stand_before_or_behind_commands() {
    for line in [
        "--json --column a,b tag list -i x",
        "tag --json list -i x --column a,b",
        "tag list -i x --json --column a --column b",
    ] {
        let (global, _) = run(parsed(line));
        let presentation = global.presentation(false, |_| None);
        assert_eq!(presentation.mode, Mode::Json, "{line}");
        assert_eq!(presentation.columns, ["a", "b"], "{line}");
    }
}

#[test]
fn a_trailing_yes_is_accepted_everywhere() {
    for line in [
        "push",
        "pull",
        "copy",
        "describe",
        "save",
        "serve",
        "tag list",
        "tag resolve",
        "version",
        "completion bash",
    ] {
        assert!(run(parsed(&format!("{line} --yes"))).0.yes, "{line}");
        assert!(run(parsed(&format!("{line} -y"))).0.yes, "{line}");
    }
}

#[test]
fn tty_turns_lines_on_and_nothing_turns_them_off_on_a_terminal() {
    let mode = |line: &str, terminal| run(parsed(line)).0.presentation(terminal, |_| None).mode;
    assert_eq!(mode("version", false), Mode::Plain);
    assert_eq!(mode("version --tty", false), Mode::Terminal);
    assert_eq!(mode("version --tty=false", true), Mode::Terminal);
    assert_eq!(mode("version --tty --json", true), Mode::Json);
}

#[test]
fn progress_suits_where_it_is_shown_unless_it_is_chosen() {
    let style = |line: &str, terminal, term: &'static str| {
        let environment = |name: &str| (name == "TERM").then(|| term.to_owned());
        run(parsed(line)).0.progress_style(terminal, environment)
    };
    assert_eq!(style("version", true, "xterm"), Style::Bars);
    assert_eq!(style("version", true, "dumb"), Style::Plain);
    assert_eq!(style("version", false, "xterm"), Style::Plain);
    assert_eq!(style("version --tty", false, "xterm"), Style::Plain);
    assert_eq!(style("version --progress plain", true, "xterm"), Style::Plain);
    assert_eq!(style("--progress=json version", true, "xterm"), Style::Json);
    assert_eq!(style("version --progress none", true, "xterm"), Style::None);
    assert_eq!(style("version --progress json --quiet", false, "xterm"), Style::None);
    assert_eq!(
        usage("version --progress bars"),
        "invalid argument \"bars\" for \"--progress\" flag: it can only have the following values [auto, plain, json, none]"
    );
}

#[test]
fn ls_is_list() {
    let (_, command) = run(parsed("tag ls -i x --digests"));
    let Command::Tag(tag) = command else { panic!("not tag") };
    assert!(matches!(tag.request(), Ok(TagCommand::List(list)) if list.digests));
}

#[test]
fn help_is_laid_out_as_the_reference_lays_it_out() {
    let Ok(Invocation::Help(help)) = parsed("tag list --help") else { panic!("no help") };
    let expected = [
        "List tags for image\n\n",
        "\n\nUsage:\n  imgpkg tag list [flags]\n\n",
        "\n\nAliases:\n  list, ls\n\n",
    ];
    for part in expected {
        assert!(help.contains(part), "{help}");
    }
    let expected = concat!(
        "  -h, --help                                        help for list\n",
        "  -i, --image string                                Set image (example: docker.io/dkalinin/test-content)\n",
        "      --imgpkg-internal-tags                        Include internal .imgpkg tags\n",
    );
    assert!(help.contains(expected), "{help}");
    assert!(
        help.contains("\nGlobal Flags:\n      --color             Set color output (default true)\n"),
        "{help}"
    );
    assert!(help.contains("  -y, --yes               Assume yes for any prompt\n"), "{help}");
}

#[test]
fn a_command_that_does_nothing_by_itself_is_not_offered_as_one() {
    let Ok(Invocation::Help(help)) = parsed("tag --help") else { panic!("no help") };
    assert!(help.contains("\n\nUsage:\n  imgpkg tag [command]\n\n"), "{help}");
    let Ok(Invocation::Help(help)) = parsed("--help") else { panic!("no help") };
    assert!(help.contains("\n\nUsage:\n  imgpkg [flags]\n  imgpkg [command]\n\n"), "{help}");
}

#[test]
fn help_shows_defaults_and_hides_what_is_deprecated() {
    let Ok(Invocation::Help(help)) = parsed("push -h") else { panic!("no help") };
    for part in [
        "(can be specified multiple times) (default [.git])\n",
        "Set labels on image (default [])\n",
        "(ms|s|m|h) (default 30s)\n",
        "-l, --labels stringToString ",
        "--registry-retry-count int ",
    ] {
        assert!(help.contains(part), "{part}: {help}");
    }
    assert!(!help.contains("file-exclude-defaults"), "{help}");
}

#[test]
fn every_command_has_help_with_a_paragraph_and_examples() {
    for line in ["push", "pull", "copy", "describe", "save", "serve", "tag list", "tag resolve", "completion"]
    {
        let Ok(Invocation::Help(help)) = parsed(&format!("{line} --help")) else {
            panic!("no help for {line}")
        };
        assert!(help.contains("\n\nExamples:\n  # "), "{help}");
        assert!(help.split("\n\n").nth(1).is_some_and(|teaching| teaching.len() > 60), "{help}");
    }
}

#[test]
fn the_root_alone_asks_for_nothing_and_its_help_names_the_commands() {
    let Ok(Invocation::Nothing(help)) = parsed("") else { panic!("something") };
    assert!(
        help.starts_with(
            "imgpkg allows to store configuration and image references as OCI artifacts \
             (copy, describe, pull, push, save, serve, tag, version)\n\n"
        ),
        "{help}"
    );
    assert!(help.contains("\n  tag         Tag (list, resolve)\n"), "{help}");
    assert!(
        help.ends_with("Use \"imgpkg [command] --help\" for more information about a command.\n"),
        "{help}"
    );
}

#[test]
fn the_help_command_shows_the_help_of_what_it_can_find() {
    let help = |line: &str| match parsed(line) {
        Ok(Invocation::HelpCommand(help)) => help,
        other => panic!("no help: {other:?}"),
    };
    assert!(help("help tag list").starts_with("List tags for image\n"));
    assert_eq!(help("help bogus"), help("help"));
}

#[test]
fn the_version_flag_is_the_roots() {
    assert!(matches!(parsed("--version"), Ok(Invocation::Version)));
    assert!(matches!(parsed("-v"), Ok(Invocation::Version)));
    assert_eq!(usage("push -v"), "unknown shorthand flag: 'v' in -v");
}

#[test]
fn the_grammar_is_sound() {
    grammar::with_extra_arguments(command()).debug_assert();
}
