//! Compresses standard input to standard output, with the bytes that a layer gets.
//!
//! ```sh
//! cargo run --release -p imgpkg-formats --example gzip < layer.tar > layer.tar.gz
//! ```

use std::io::{self, Read, Write};

use imgpkg_formats::gzip::Encoder;

fn main() -> io::Result<()> {
    let mut encoder = Encoder::new(io::stdout().lock());
    let result = compress(&mut io::stdin().lock(), &mut encoder);
    match result {
        Ok(()) => encoder.finish().map(|_| ()),
        Err(error) => {
            // What has been written is no stream, and whoever reads it will notice.
            drop(encoder.abandon());
            Err(error)
        }
    }
}

fn compress(input: &mut impl Read, output: &mut impl Write) -> io::Result<()> {
    let mut buffer = vec![0; 128 * 1024];
    loop {
        match input.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(read) => output.write_all(&buffer[..read])?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
