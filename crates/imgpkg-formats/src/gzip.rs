//! A gzip encoder whose output never changes.
//!
//! # The promise
//!
//! The same input gives the same bytes, for ever: with every version of this project, of the compiler and of every
//! library, on every machine, and however the input is cut into writes. Those bytes are the ones that Go's standard
//! library makes at its fastest level, from Go 1.21 to 1.26, because the reference compresses layers with it. A layer's
//! digest is the digest of its compressed bytes, so this is what makes two tools agree on a bundle's digest, and what
//! lets an old bundle be rebuilt and compared.
//!
//! It is kept by having no choices: block boundaries, the match search, the Huffman codes and the decision between
//! compressed and stored are each written down in the module that makes them, and the vectors in `tests/golden/gzip`
//! hold the encoder to outputs recorded once. Changing an output byte is a breaking change even if the result is
//! smaller.
//!
//! # Why not flate2
//!
//! No DEFLATE library promises its bytes, only that they unpack to the input. A new release, another back end or
//! another processor may find other matches, and then every digest changes (it happened to the reference, when Go
//! 1.27 brought a new encoder). And none of flate2's back ends and levels gives the bytes of the reference anyway.
//! Reading is different, because what gzip unpacks to is fixed by its specification (RFC 1951 and RFC 1952): everything
//! that is read goes through flate2.
//!
//! # How it works
//!
//! Input is gathered into a window of one block of 65535 bytes and the 32768 bytes before it. Each full block, and what
//! is left at the end, goes through the match search (`search`), whose result is counted and gets Huffman codes
//! (`huffman`), their description (`lengths`), and an estimate of the size that decides how the block is written
//! (`block`). A closing empty block and the trailer follow at the end. Memory is constant, less than
//! half a megabyte.

mod bits;
mod block;
mod crc32;
mod encoder;
mod huffman;
mod lengths;
mod search;
mod symbols;
mod window;

pub use encoder::Encoder;
