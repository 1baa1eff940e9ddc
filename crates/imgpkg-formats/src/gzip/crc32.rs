//! The checksum in the trailer: CRC-32 as RFC 1952 defines it (section 8).

/// The generator polynomial, with the bits in the order in which bytes hold them.
const POLYNOMIAL: u32 = 0xedb8_8320;

/// How many bytes one step takes.
const STEP: usize = 16;

/// `TABLES[k][b]` is what byte `b` contributes once `k` more bytes have followed it.
static TABLES: [[u32; 256]; STEP] = tables();

const fn tables() -> [[u32; 256]; STEP] {
    let mut tables = [[0; 256]; STEP];
    let mut byte = 0;
    while byte < 256 {
        let mut remainder = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            remainder = (remainder >> 1) ^ (POLYNOMIAL * (remainder & 1));
            bit += 1;
        }
        tables[0][byte] = remainder;
        byte += 1;
    }
    let mut k = 1;
    while k < STEP {
        let mut byte = 0;
        while byte < 256 {
            let before = tables[k - 1][byte];
            tables[k][byte] = (before >> 8) ^ tables[0][(before & 0xff) as usize];
            byte += 1;
        }
        k += 1;
    }
    tables
}

/// A checksum over bytes that come in pieces.
#[derive(Debug)]
pub(super) struct Crc32 {
    register: u32,
}

impl Crc32 {
    pub(super) const fn new() -> Self {
        Self { register: u32::MAX }
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        let (steps, rest) = bytes.as_chunks::<STEP>();
        let mut register = self.register;
        for step in steps {
            let mut mixed = *step;
            for (byte, part) in mixed.iter_mut().zip(register.to_le_bytes()) {
                *byte ^= part;
            }
            // All look-ups are independent of each other, which is what makes this fast.
            register = 0;
            for (byte, table) in mixed.iter().rev().zip(&TABLES) {
                register ^= table[usize::from(*byte)];
            }
        }
        for byte in rest {
            register = (register >> 8) ^ TABLES[0][((register ^ u32::from(*byte)) & 0xff) as usize];
        }
        self.register = register;
    }

    pub(super) const fn value(&self) -> u32 {
        !self.register
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crc(bytes: &[u8]) -> u32 {
        let mut crc = Crc32::new();
        crc.update(bytes);
        crc.value()
    }

    #[test]
    fn the_published_check_value_is_reached() {
        assert_eq!(crc(b"123456789"), 0xcbf4_3926);
        assert_eq!(crc(b""), 0);
    }

    #[test]
    fn pieces_of_any_length_give_the_checksum_of_the_whole() {
        let bytes: Vec<u8> = (0..1000u32).map(|i| ((i * i) >> 3) as u8).collect();
        let mut expected = flate2::Crc::new();
        expected.update(&bytes);
        for piece in [1, 3, 15, 16, 17, 100, 1000] {
            let mut crc = Crc32::new();
            bytes.chunks(piece).for_each(|chunk| crc.update(chunk));
            assert_eq!(crc.value(), expected.sum(), "pieces of {piece}");
        }
    }
}
