//! Layers of whole directory trees against those that the reference pushed: `tests/golden/push`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod inputs;

use std::collections::BTreeMap;
use std::io::Write as _;

use imgpkg_formats::gzip::Encoder;
use imgpkg_formats::tar::{self, Entry, Mode};
use inputs::{Input, golden, sha256};
use serde::Deserialize;

#[derive(Debug, Deserialize)]
struct Vectors {
    format: u32,
    cases: Vec<Case>,
}

#[derive(Debug, Deserialize)]
struct Case {
    name: String,
    roots: Vec<String>,
    args: Vec<String>,
    files: Vec<File>,
    expect: Expected,
}

#[derive(Debug, Deserialize)]
struct File {
    path: String,
    mode: String,
    content: Input,
}

#[derive(Debug, Deserialize)]
struct Expected {
    listing: Option<Vec<String>>,
    tar_len: usize,
    tar_sha256: String,
    layer: Blob,
}

#[derive(Debug, Deserialize)]
struct Blob {
    size: usize,
    digest: String,
}

/// A tree as it would be on disk. Every directory has mode 0755.
enum Node {
    Directory(BTreeMap<Vec<u8>, Node>),
    File { unix_mode: u32, content: Vec<u8> },
}

impl Node {
    fn tree(files: &[File]) -> Self {
        let mut root = Self::Directory(BTreeMap::new());
        for file in files {
            let unix_mode = u32::from_str_radix(&file.mode, 8).unwrap();
            *root.at(&file.path) = Self::File { unix_mode, content: file.content.bytes() };
        }
        root
    }

    /// The node at a path, made if need be as a directory.
    fn at(&mut self, path: &str) -> &mut Self {
        path.split('/').filter(|component| *component != ".").fold(self, |node, component| match node {
            Self::Directory(children) => children
                .entry(component.as_bytes().to_vec())
                .or_insert_with(|| Self::Directory(BTreeMap::new())),
            Self::File { .. } => panic!("'{component}' lies in a file"),
        })
    }
}

/// What decides which entries there are, and with which modes.
struct Flags {
    exclusions: Vec<Vec<u8>>,
    preserve_permissions: bool,
}

impl Flags {
    fn parse(args: &[String]) -> Self {
        let exclusions: Vec<Vec<u8>> = args
            .windows(2)
            .filter(|pair| pair[0] == "--file-exclusion")
            .map(|pair| pair[1].clone().into_bytes())
            .collect();
        Self {
            exclusions: if exclusions.is_empty() { vec![b".git".to_vec()] } else { exclusions },
            preserve_permissions: args.iter().any(|arg| arg == "--preserve-permissions"),
        }
    }
}

/// The tar of some roots, with a listing of its entries.
struct Tar {
    bytes: Vec<u8>,
    listing: Vec<String>,
}

impl Tar {
    fn build(tree: &mut Node, roots: &[String], flags: &Flags) -> Self {
        let mut tar = Self { bytes: Vec::new(), listing: Vec::new() };
        for root in roots {
            let name = if matches!(tree.at(root), Node::Directory(_)) { "." } else { root };
            tar.add(tree.at(root), name.as_bytes(), flags);
        }
        tar.bytes.extend_from_slice(&tar::END);
        tar
    }

    fn add(&mut self, node: &Node, name: &[u8], flags: &Flags) {
        if flags.exclusions.iter().any(|excluded| excluded == name) {
            return;
        }
        let (kind, header) = match node {
            Node::Directory(_) if flags.preserve_permissions => {
                ("dir", Entry::directory(name, Mode::preserved_directory(0o755)).header())
            }
            Node::Directory(_) => ("dir", Entry::directory(name, Mode::DIRECTORY).header()),
            Node::File { unix_mode, content } => {
                let preserve = flags.preserve_permissions;
                let mode = if preserve { Mode::preserved(*unix_mode) } else { Mode::owner(*unix_mode) };
                ("file", Entry::file(name, mode, content.len() as u64).header())
            }
        };
        self.listing.push(format!("{kind}: {}", String::from_utf8_lossy(name)));
        self.bytes.extend(header.unwrap());
        match node {
            Node::File { content, .. } => {
                self.bytes.extend_from_slice(content);
                self.bytes.resize(self.bytes.len() + tar::padding(content.len() as u64), 0);
            }
            Node::Directory(children) => {
                for (component, child) in children {
                    let parent = if name == b"." { Vec::new() } else { [name, b"/".as_slice()].concat() };
                    self.add(child, &[parent, component.clone()].concat(), flags);
                }
            }
        }
    }
}

fn compress(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = Encoder::new(Vec::new());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn every_pushed_tree_has_the_tar_and_the_layer_of_the_reference() {
    let text = std::fs::read_to_string(golden("push").join("vectors.json")).unwrap();
    let vectors: Vectors = serde_json::from_str(&text).unwrap();
    assert_eq!((vectors.format, vectors.cases.len()), (1, 25));
    for Case { name, roots, args, files, expect } in vectors.cases {
        let tar = Tar::build(&mut Node::tree(&files), &roots, &Flags::parse(&args));
        if let Some(listing) = expect.listing {
            assert_eq!(tar.listing, listing, "{name}");
        }
        assert_eq!(tar.bytes.len(), expect.tar_len, "{name}");
        assert_eq!(format!("sha256:{}", sha256(&tar.bytes)), expect.tar_sha256, "{name}");
        let layer = compress(&tar.bytes);
        assert_eq!(layer.len(), expect.layer.size, "{name}");
        assert_eq!(format!("sha256:{}", sha256(&layer)), expect.layer.digest, "{name}");
    }
}

/// The tar of one file named `f`, compressed.
fn layer_of_one_file(content: &[u8]) -> Vec<u8> {
    let entry = Entry::file("f", Mode::owner(0o600), content.len() as u64);
    let mut tar = entry.header().unwrap();
    tar.extend_from_slice(content);
    tar.resize(tar.len() + tar::padding(content.len() as u64), 0);
    tar.extend_from_slice(&tar::END);
    compress(&tar)
}

fn lines(count: usize) -> Vec<u8> {
    (0..count).flat_map(|number| format!("line {number}\n").into_bytes()).collect()
}

fn linear_congruential(len: usize) -> Vec<u8> {
    let next = |state: &u64| Some((state * 1_103_515_245 + 12345) % (1 << 31));
    std::iter::successors(next(&1), next).map(|state| (state >> 16) as u8).take(len).collect()
}

#[test]
fn a_single_file_gives_the_layer_of_the_reference_whatever_its_content() {
    let mixed = [lines(3000), linear_congruential(40000), lines(3000)].concat();
    let all_bytes: Vec<u8> = (0..=255).collect();
    let expected: [(Vec<u8>, usize, &str); 10] = [
        (vec![], 89, "019f6635ee712c06965cf93538d11f54e4bbcf94724fb26060fa27fb2fa2289a"),
        (b"x".to_vec(), 96, "5cbec1a008952032d162e9287fbbef3d05d0a87bddc62d2aee696a2a7f14a421"),
        (b"hello world".repeat(3), 109, "1eaa7de7ce609fb61884a9cb3928b75cc7e95653d04cd911b2f72bb7324044c4"),
        (vec![0; 300_000], 451, "a1635e367719393777a6e34b9238bedd3ac788a9eb5d50f16910bc323fa9e2a8"),
        (b"ab".repeat(50_000), 558, "8e99893b4776c250119e8db56dc1e55639d889191e3868758c531ffd96478529"),
        (all_bytes.repeat(700), 2293, "631e08fc61e9cba59842701b8b5d0dfd255e332656454ff3f1b47f8b563ba51c"),
        (lines(20000), 47711, "ab9ddfe755ccfe2af05bb1f0fff24ae3e62cc249a339e69ec315e67f2cf500a5"),
        (
            linear_congruential(70000),
            70738,
            "0f067b7932b93e5065d498fd9aa2407a6f526badec1c9711b663a22c3b7622d5",
        ),
        (mixed, 57704, "f797d38247f0f289dad8383027284bc5b6ebae0203544802bc88b303c5fe0692"),
        (
            lines(20000)[..64000].to_vec(),
            15070,
            "7b471a659151fa6094792cbcb451069aa7f98f6bfc36aaabb174b59cfe81b6ef",
        ),
    ];
    for (content, size, digest) in expected {
        let layer = layer_of_one_file(&content);
        assert_eq!((layer.len(), sha256(&layer).as_str()), (size, digest), "{} bytes", content.len());
    }
}
