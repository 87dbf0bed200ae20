//! Where the keys of a line of JSON end: the colons outside of strings, found
//! 64 bytes at a time.
//!
//! In: text and where a line starts. Out: [`Marks`]. Each processor's vectors
//! answer one question only, which bytes of a block equal a given one; the
//! rest is arithmetic on the answers, the same everywhere. Deliberately
//! absent: keys, values, and whether the line is JSON at all.
#![allow(
    clippy::inline_always,
    reason = "what a caller may use of the processor is known only inside of it, so all of the loop must be there"
)]
#![allow(
    unsafe_code,
    reason = "vector instructions: each call is behind a check that the processor has them, and each load is \
              of a whole array by reference"
)]

use std::sync::LazyLock;

/// Bytes that are looked at together.
pub(super) const BLOCK: usize = 64;

/// Colons of a line that are kept.
pub(super) const MOST: usize = 4032;

/// What was found in one line.
#[derive(Debug)]
pub(super) struct Marks {
    /// Where colons outside of strings are, from the start of the text.
    pub(super) colons: Box<[u32; MOST + BLOCK]>,
    /// How many of `colons` are of this line; those behind are rubbish. More
    /// than [`MOST`] if there were too many to keep.
    pub(super) count: usize,
    /// Opening braces outside of strings. One means an object without objects in it.
    pub(super) opens: u32,
    /// The end of the line, without its line feed.
    pub(super) end: usize,
    /// Whether the last string was closed.
    pub(super) closed: bool,
}

impl Default for Marks {
    fn default() -> Self {
        Self {
            colons: Box::new([0; MOST + BLOCK]),
            count: 0,
            opens: 0,
            end: 0,
            closed: true,
        }
    }
}

/// Finds the marks of the line that starts at `from`, with the widest vectors
/// of this processor. Texts are shorter than 4 GiB.
#[derive(Clone, Copy, Debug)]
pub(super) struct Marker(fn(&[u8], usize, &mut Marks));

impl Marker {
    /// The fastest for this processor.
    pub(super) fn new() -> Self {
        Self::of_this_processor()[0]
    }

    /// All that this processor has what it takes for, the fastest first. The
    /// last one runs anywhere.
    fn of_this_processor() -> Vec<Self> {
        let mut found: Vec<Self> = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            use x86::Has;
            // SAFETY: of each the features were found just before.
            if x86::has(Has::Vbmi2) {
                found.push(Self(|text, from, marks| unsafe {
                    x86::line_vbmi2(text, from, marks);
                }));
            }
            if x86::has(Has::Avx512) {
                found.push(Self(|text, from, marks| unsafe {
                    x86::line_avx512(text, from, marks);
                }));
            }
            if x86::has(Has::Avx2) {
                found.push(Self(|text, from, marks| unsafe {
                    x86::line_avx2(text, from, marks);
                }));
            }
        }
        found.push(Self(line::<Portable>));
        found
    }

    #[inline]
    pub(super) fn line(self, text: &[u8], from: usize, marks: &mut Marks) {
        (self.0)(text, from, marks);
    }
}

/// Where the strings of a text begin and end.
#[derive(Debug, Default)]
pub(super) struct Quotes {
    /// Quotes that are not escaped, in order.
    pub(super) places: Vec<u32>,
    /// How many of `places` there are; those behind are rubbish.
    pub(super) count: usize,
    /// Whether all of the text is ASCII.
    pub(super) ascii: bool,
    /// Whether the last string was closed, and no string holds characters or
    /// escapes that it must not. Of characters by code point it is not known.
    pub(super) sound: bool,
    /// Whether there are characters by code point.
    pub(super) coded: bool,
}

/// Finds the quotes of a text of less than 4 GiB.
#[derive(Clone, Copy, Debug)]
pub(super) struct Quoter(fn(&[u8], &mut Quotes));

impl Quoter {
    /// The fastest for this processor.
    pub(super) fn new() -> Self {
        Self::of_this_processor()[0]
    }

    /// As [`Marker::of_this_processor`].
    fn of_this_processor() -> Vec<Self> {
        let mut found: Vec<Self> = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            use x86::Has;
            // SAFETY: of each the features were found just before.
            if x86::has(Has::Vbmi2) {
                found.push(Self(|text, quotes| unsafe { x86::quotes_vbmi2(text, quotes) }));
            }
            if x86::has(Has::Avx512) {
                found.push(Self(|text, quotes| unsafe { x86::quotes_avx512(text, quotes) }));
            }
            if x86::has(Has::Avx2) {
                found.push(Self(|text, quotes| unsafe { x86::quotes_avx2(text, quotes) }));
            }
        }
        found.push(Self(quotes::<Portable>));
        found
    }

    #[inline]
    pub(super) fn find(self, text: &[u8], quotes: &mut Quotes) {
        (self.0)(text, quotes);
    }
}

/// How a text between quotes is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Looks {
    /// Every backslash escapes one of `"`, `\\`, `n`, `r` and `t`.
    pub(super) usual: bool,
    pub(super) ascii: bool,
}

impl Looks {
    /// Looks with the widest vectors of this processor.
    #[inline]
    pub(super) fn of(text: &[u8]) -> Self {
        static FASTEST: LazyLock<fn(&[u8]) -> Looks> = LazyLock::new(Looks::fastest);
        FASTEST(text)
    }

    fn fastest() -> fn(&[u8]) -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            use x86::Has;
            // SAFETY: of each the features were found just before.
            if x86::has(Has::Avx512) {
                return |text| unsafe { x86::looks_avx512(text) };
            }
            if x86::has(Has::Avx2) {
                return |text| unsafe { x86::looks_avx2(text) };
            }
        }
        looks::<Portable>
    }
}

#[inline(always)]
fn looks<L: Lanes>(text: &[u8]) -> Looks {
    let (blocks, rest) = text.as_chunks::<BLOCK>();
    let mut last = [b' '; BLOCK];
    last[..rest.len()].copy_from_slice(rest);
    let (mut escaped, mut high, mut wrong) = (0_u64, 0, 0);
    for block in blocks.iter().chain([&last]) {
        let lanes = L::new(block);
        let backslashes = lanes.equal(b'\\');
        let known = b"\"nrt"
            .iter()
            .fold(backslashes, |known, byte| known | lanes.equal(*byte));
        wrong |= after_escape(backslashes, &mut escaped) & !known;
        high |= !lanes.below(0x80);
    }
    Looks {
        usual: wrong == 0,
        ascii: high == 0,
    }
}

#[inline(always)]
fn quotes<L: Lanes>(text: &[u8], quotes: &mut Quotes) {
    let (blocks, rest) = text.as_chunks::<BLOCK>();
    let mut last = [b' '; BLOCK];
    last[..rest.len()].copy_from_slice(rest);
    let (mut escaped, mut inside, mut high, mut wrong, mut coded) = (0_u64, 0_u64, 0, 0, 0);
    let mut count = 0;
    for (number, block) in blocks.iter().chain([&last]).enumerate() {
        let lanes = L::new(block);
        let mut found = lanes.equal(b'"');
        let backslashes = lanes.equal(b'\\');
        if backslashes | escaped != 0 {
            let after = after_escape(backslashes, &mut escaped);
            found &= !after;
            let by_code = after & lanes.equal(b'u');
            coded |= by_code;
            let known = b"\"\\/bfnrt"
                .iter()
                .fold(by_code, |known, byte| known | lanes.equal(*byte));
            wrong |= after & !known;
        }
        let strings = L::until_next(found) ^ inside;
        inside = ((strings as i64) >> 63) as u64;
        wrong |= strings & lanes.below(b' ');
        high |= !lanes.below(0x80);
        if quotes.places.len() < count + BLOCK {
            quotes.places.resize(2 * count + BLOCK, 0);
        }
        if let Some(places) = quotes.places[count..].first_chunk_mut() {
            L::put(found, (number * BLOCK) as u32, places);
        }
        count += found.count_ones() as usize;
    }
    quotes.count = count;
    quotes.ascii = high == 0;
    quotes.sound = wrong == 0 && inside == 0;
    quotes.coded = coded != 0;
}

/// Answers which bytes of a block equal a given one, or are below it, the
/// first byte in the lowest bit.
trait Lanes {
    fn new(block: &[u8; BLOCK]) -> Self;
    fn equal(&self, byte: u8) -> u64;
    /// Of a byte up to 0x80.
    fn below(&self, byte: u8) -> u64;
    /// From each odd bit to the one before the next, ones: bits of a running parity.
    #[inline(always)]
    fn until_next(bits: u64) -> u64 {
        let mut x = bits;
        x ^= x << 1;
        x ^= x << 2;
        x ^= x << 4;
        x ^= x << 8;
        x ^= x << 16;
        x ^ (x << 32)
    }
    /// Writes down where the bits of a block at `at` are that are set, and
    /// rubbish behind them.
    #[inline(always)]
    fn put(bits: u64, at: u32, places: &mut [u32; BLOCK]) {
        put(bits, at, places);
    }
    /// Says that what lies some way behind a block is needed soon.
    #[inline(always)]
    fn soon(_block: &[u8; BLOCK]) {}
}

/// One line, for any processor.
#[inline(always)]
fn line<L: Lanes>(text: &[u8], from: usize, marks: &mut Marks) {
    let (blocks, rest) = text.get(from..).unwrap_or_default().as_chunks::<BLOCK>();
    let mut so_far = SoFar::at(from);
    for block in blocks {
        L::soon(block);
        if so_far.ends_in::<L>(block, marks) {
            return;
        }
    }
    // The end of the text counts as the end of its last line.
    let mut last = [b'\n'; BLOCK];
    last[..rest.len()].copy_from_slice(rest);
    so_far.ends_in::<L>(&last, marks);
}

/// What is known of a line at the start of one of its blocks.
struct SoFar {
    at: usize,
    /// One if the byte before is a backslash that escapes.
    escaped: u64,
    /// All ones inside of a string.
    inside: u64,
    count: usize,
    opens: u32,
}

impl SoFar {
    #[inline(always)]
    fn at(at: usize) -> Self {
        Self {
            at,
            escaped: 0,
            inside: 0,
            count: 0,
            opens: 0,
        }
    }

    /// Whether the line ends in the next block; then its marks are complete.
    ///
    /// Nothing but that end is branched on: which blocks hold backslashes or
    /// braces is not to be foretold, and a branch that goes wrong costs more
    /// than to work them out for blocks that hold none.
    #[inline(always)]
    fn ends_in<L: Lanes>(&mut self, block: &[u8; BLOCK], marks: &mut Marks) -> bool {
        let lanes = L::new(block);
        let ends = lanes.equal(b'\n');
        let quotes = lanes.equal(b'"') & !after_escape(lanes.equal(b'\\'), &mut self.escaped);
        // Bits from one quote to the next, the closing one excluded.
        let strings = L::until_next(quotes) ^ self.inside;
        self.inside = ((strings as i64) >> 63) as u64;
        // A line feed is never inside of a string of one line.
        let line = ends ^ ends.wrapping_sub(1);
        let structure = !strings & line;
        let colons = lanes.equal(b':') & structure;
        self.opens += (lanes.equal(b'{') & structure).count_ones();
        // Of too many, the last ones fall on each other.
        if let Some(places) = marks.colons[self.count.min(MOST)..].first_chunk_mut() {
            L::put(colons, self.at as u32, places);
        }
        self.count += colons.count_ones() as usize;
        if ends == 0 {
            self.at += BLOCK;
            return false;
        }
        let last = ends.trailing_zeros();
        marks.count = self.count;
        marks.opens = self.opens;
        marks.end = self.at + last as usize;
        marks.closed = strings >> last & 1 == 0;
        true
    }
}

/// One bit after the other. Few blocks have more than two; writing two without
/// looking is quicker than counting.
#[inline(always)]
fn put(mut bits: u64, at: u32, places: &mut [u32; BLOCK]) {
    let found = bits.count_ones() as usize;
    for place in &mut places[..2] {
        *place = at + bits.trailing_zeros();
        bits &= bits.wrapping_sub(1);
    }
    if found > 2 {
        for place in &mut places[2..found] {
            *place = at + bits.trailing_zeros();
            bits &= bits.wrapping_sub(1);
        }
    }
}

/// The bytes that a backslash escapes; `escaped` says it of the first byte and
/// then of the first byte of the next block.
#[inline(always)]
fn after_escape(backslashes: u64, escaped: &mut u64) -> u64 {
    const ODD: u64 = 0xAAAA_AAAA_AAAA_AAAA;
    // A backslash that is itself escaped escapes nothing. In a run of them,
    // every second one does; subtracting carries along runs that start at an
    // odd place, so that the parity of the start can be taken off again.
    let candidates = backslashes & !*escaped;
    let maybe = candidates << 1;
    let parity = ((maybe | ODD).wrapping_sub(candidates)) ^ ODD;
    let result = parity ^ (backslashes | *escaped);
    *escaped = (parity & backslashes) >> 63;
    result
}

/// Eight bytes at a time in ordinary registers.
struct Portable([u64; 8]);

impl Lanes for Portable {
    #[inline]
    fn new(block: &[u8; BLOCK]) -> Self {
        let mut words = [0; 8];
        for (word, bytes) in words.iter_mut().zip(block.as_chunks::<8>().0) {
            *word = u64::from_le_bytes(*bytes);
        }
        Self(words)
    }

    #[inline]
    fn equal(&self, byte: u8) -> u64 {
        const LOW: u64 = 0x0101_0101_0101_0101;
        const SEVEN: u64 = 0x7f7f_7f7f_7f7f_7f7f;
        /// Moves the top bits of eight bytes to the top byte.
        const GATHER: u64 = 0x0002_0408_1020_4081;
        let wanted = LOW * u64::from(byte);
        let mut mask = 0;
        for (place, word) in self.0.iter().enumerate() {
            let x = word ^ wanted;
            // The top bit of each byte that is zero, exactly.
            let zero = !(((x & SEVEN) + SEVEN) | x | SEVEN);
            mask |= (zero.wrapping_mul(GATHER) >> 56) << (place * 8);
        }
        mask
    }

    #[inline]
    fn below(&self, byte: u8) -> u64 {
        const LOW: u64 = 0x0101_0101_0101_0101;
        const TOP: u64 = 0x8080_8080_8080_8080;
        const GATHER: u64 = 0x0002_0408_1020_4081;
        let mut mask = 0;
        for (place, word) in self.0.iter().enumerate() {
            // With the top bit set, no byte borrows from the next.
            let not_below = ((word | TOP) - LOW * u64::from(byte)) | word;
            let below = !not_below & TOP;
            mask |= (below.wrapping_mul(GATHER) >> 56) << (place * 8);
        }
        mask
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::{
        __m256i, __m512i, _MM_HINT_T0, _mm_clmulepi64_si128, _mm_cvtsi128_si64, _mm_prefetch, _mm_set_epi64x,
        _mm_set1_epi8, _mm256_cmpeq_epi8, _mm256_loadu_si256, _mm256_min_epu8, _mm256_movemask_epi8,
        _mm256_set1_epi8, _mm512_add_epi32, _mm512_castsi512_si128, _mm512_cmpeq_epi8_mask,
        _mm512_cmplt_epu8_mask, _mm512_cvtepu8_epi32, _mm512_loadu_si512, _mm512_maskz_compress_epi8,
        _mm512_set1_epi8, _mm512_set1_epi32, _mm512_storeu_si512,
    };

    use super::{BLOCK, Lanes, Looks, Marks, Quotes};

    /// What a processor may have.
    #[derive(Clone, Copy, PartialEq, Eq)]
    pub(super) enum Has {
        Avx2,
        Avx512,
        Vbmi2,
    }

    /// Whether this processor has all that the functions named so use.
    pub(super) fn has(what: Has) -> bool {
        let common = is_x86_feature_detected!("bmi1")
            && is_x86_feature_detected!("bmi2")
            && is_x86_feature_detected!("popcnt")
            && is_x86_feature_detected!("lzcnt")
            && is_x86_feature_detected!("pclmulqdq");
        let wide = || is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw");
        common
            && match what {
                Has::Avx2 => is_x86_feature_detected!("avx2"),
                Has::Avx512 => wide(),
                Has::Vbmi2 => wide() && is_x86_feature_detected!("avx512vbmi2"),
            }
    }

    /// # Safety
    /// The processor has AVX-512 F, BW and VBMI2, BMI, POPCNT and PCLMULQDQ.
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi2,bmi1,bmi2,popcnt,lzcnt,pclmulqdq")]
    pub(super) unsafe fn line_vbmi2(text: &[u8], from: usize, marks: &mut Marks) {
        super::line::<Vbmi2>(text, from, marks);
    }

    /// # Safety
    /// The processor has AVX-512 F and BW, BMI, POPCNT and PCLMULQDQ.
    #[target_feature(enable = "avx512f,avx512bw,bmi1,bmi2,popcnt,lzcnt,pclmulqdq")]
    pub(super) unsafe fn line_avx512(text: &[u8], from: usize, marks: &mut Marks) {
        super::line::<Avx512>(text, from, marks);
    }

    /// # Safety
    /// The processor has AVX2, BMI, POPCNT and PCLMULQDQ.
    #[target_feature(enable = "avx2,bmi1,bmi2,popcnt,lzcnt,pclmulqdq")]
    pub(super) unsafe fn line_avx2(text: &[u8], from: usize, marks: &mut Marks) {
        super::line::<Avx2>(text, from, marks);
    }

    /// # Safety
    /// The processor has AVX-512 F, BW and VBMI2, BMI, POPCNT and PCLMULQDQ.
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi2,bmi1,bmi2,popcnt,lzcnt,pclmulqdq")]
    pub(super) unsafe fn quotes_vbmi2(text: &[u8], quotes: &mut Quotes) {
        super::quotes::<Vbmi2>(text, quotes);
    }

    /// # Safety
    /// The processor has AVX-512 F and BW, BMI, POPCNT and PCLMULQDQ.
    #[target_feature(enable = "avx512f,avx512bw,bmi1,bmi2,popcnt,lzcnt,pclmulqdq")]
    pub(super) unsafe fn looks_avx512(text: &[u8]) -> Looks {
        super::looks::<Avx512>(text)
    }

    /// # Safety
    /// The processor has AVX2, BMI, POPCNT and PCLMULQDQ.
    #[target_feature(enable = "avx2,bmi1,bmi2,popcnt,lzcnt,pclmulqdq")]
    pub(super) unsafe fn looks_avx2(text: &[u8]) -> Looks {
        super::looks::<Avx2>(text)
    }

    /// # Safety
    /// The processor has AVX-512 F and BW, BMI, POPCNT and PCLMULQDQ.
    #[target_feature(enable = "avx512f,avx512bw,bmi1,bmi2,popcnt,lzcnt,pclmulqdq")]
    pub(super) unsafe fn quotes_avx512(text: &[u8], quotes: &mut Quotes) {
        super::quotes::<Avx512>(text, quotes);
    }

    /// # Safety
    /// The processor has AVX2, BMI, POPCNT and PCLMULQDQ.
    #[target_feature(enable = "avx2,bmi1,bmi2,popcnt,lzcnt,pclmulqdq")]
    pub(super) unsafe fn quotes_avx2(text: &[u8], quotes: &mut Quotes) {
        super::quotes::<Avx2>(text, quotes);
    }

    /// Bytes: two or three lines of an export, so that what comes after a line is on its way while that one
    /// is decided on.
    const AHEAD: usize = 6144;

    #[inline(always)]
    fn soon(block: &[u8; BLOCK]) {
        // SAFETY: a hint; the address need not be one that may be read.
        unsafe {
            _mm_prefetch::<_MM_HINT_T0>(block.as_ptr().wrapping_add(AHEAD).cast());
        }
    }

    /// A running parity is a product without carries, with ones throughout.
    #[inline(always)]
    fn parity(bits: u64) -> u64 {
        // SAFETY: `line_avx512` and `line_avx2` alone come here.
        unsafe {
            let product = _mm_clmulepi64_si128::<0>(_mm_set_epi64x(0, bits as i64), _mm_set1_epi8(-1));
            _mm_cvtsi128_si64(product) as u64
        }
    }

    struct Avx512(__m512i);

    impl Lanes for Avx512 {
        #[inline(always)]
        fn until_next(bits: u64) -> u64 {
            parity(bits)
        }

        #[inline(always)]
        fn soon(block: &[u8; BLOCK]) {
            soon(block);
        }

        #[inline(always)]
        fn new(block: &[u8; BLOCK]) -> Self {
            // SAFETY: the array is 64 bytes long; this type is used by the functions for AVX-512 alone.
            Self(unsafe { _mm512_loadu_si512(block.as_ptr().cast()) })
        }

        #[inline(always)]
        fn equal(&self, byte: u8) -> u64 {
            // SAFETY: as for `new`.
            unsafe { _mm512_cmpeq_epi8_mask(self.0, _mm512_set1_epi8(byte as i8)) }
        }

        #[inline(always)]
        fn below(&self, byte: u8) -> u64 {
            // SAFETY: as for `new`.
            unsafe { _mm512_cmplt_epu8_mask(self.0, _mm512_set1_epi8(byte as i8)) }
        }
    }

    /// As [`Avx512`], with a way to write many places at once.
    struct Vbmi2(Avx512);

    impl Lanes for Vbmi2 {
        #[inline(always)]
        fn until_next(bits: u64) -> u64 {
            parity(bits)
        }

        #[inline(always)]
        fn soon(block: &[u8; BLOCK]) {
            soon(block);
        }

        #[inline(always)]
        fn new(block: &[u8; BLOCK]) -> Self {
            Self(Avx512::new(block))
        }

        #[inline(always)]
        fn equal(&self, byte: u8) -> u64 {
            self.0.equal(byte)
        }

        #[inline(always)]
        fn below(&self, byte: u8) -> u64 {
            self.0.below(byte)
        }

        #[inline(always)]
        fn put(bits: u64, at: u32, places: &mut [u32; BLOCK]) {
            /// How many places there are in a vector.
            const ROUND: u32 = 16;
            if bits.count_ones() > ROUND {
                return super::put(bits, at, places);
            }
            // SAFETY: the vector is stored to the start of an array that is longer;
            // this type is used by the function for VBMI2 alone.
            unsafe {
                let numbers = _mm512_loadu_si512(NUMBERS.as_ptr().cast());
                let set = _mm512_castsi512_si128(_mm512_maskz_compress_epi8(bits, numbers));
                let there = _mm512_add_epi32(_mm512_cvtepu8_epi32(set), _mm512_set1_epi32(at as i32));
                _mm512_storeu_si512(places.as_mut_ptr().cast(), there);
            }
        }
    }

    /// Each byte's place in a block.
    static NUMBERS: [u8; BLOCK] = {
        let mut numbers = [0; BLOCK];
        let mut at = 0;
        while at < BLOCK {
            numbers[at] = at as u8;
            at += 1;
        }
        numbers
    };

    struct Avx2(__m256i, __m256i);

    impl Lanes for Avx2 {
        #[inline(always)]
        fn until_next(bits: u64) -> u64 {
            parity(bits)
        }

        #[inline(always)]
        fn soon(block: &[u8; BLOCK]) {
            soon(block);
        }

        #[inline(always)]
        fn new(block: &[u8; BLOCK]) -> Self {
            let start = block.as_ptr();
            // SAFETY: both halves are within the array of 64 bytes; this type is used by the functions for AVX2 alone.
            unsafe {
                Self(
                    _mm256_loadu_si256(start.cast()),
                    _mm256_loadu_si256(start.add(BLOCK / 2).cast()),
                )
            }
        }

        #[inline(always)]
        fn equal(&self, byte: u8) -> u64 {
            // SAFETY: as for `new`.
            unsafe {
                let wanted = _mm256_set1_epi8(byte as i8);
                let low = _mm256_movemask_epi8(_mm256_cmpeq_epi8(self.0, wanted)) as u32;
                let high = _mm256_movemask_epi8(_mm256_cmpeq_epi8(self.1, wanted)) as u32;
                u64::from(low) | u64::from(high) << 32
            }
        }

        #[inline(always)]
        fn below(&self, byte: u8) -> u64 {
            // SAFETY: as for `new`.
            unsafe {
                let most = _mm256_set1_epi8((byte - 1) as i8);
                let below =
                    |half| _mm256_movemask_epi8(_mm256_cmpeq_epi8(_mm256_min_epu8(half, most), half)) as u32;
                u64::from(below(self.0)) | u64::from(below(self.1)) << 32
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The marks of a line found byte by byte.
    fn plainly(text: &[u8], from: usize) -> (Vec<u32>, u32, usize, bool) {
        let (mut colons, mut opens, mut inside, mut escaped) = (Vec::new(), 0, false, false);
        for (at, byte) in text.iter().enumerate().skip(from) {
            // Only of quotes it matters whether they are escaped.
            let was = std::mem::take(&mut escaped);
            match byte {
                b'\n' => return (colons, opens, at, !inside),
                b'"' | b'\\' if was => {}
                b'\\' => escaped = true,
                b'"' => inside = !inside,
                b':' if !inside => colons.push(at as u32),
                b'{' if !inside => opens += 1,
                _ => {}
            }
        }
        (colons, opens, text.len(), !inside)
    }

    #[test]
    fn all_processors_see_the_same_strings() {
        let mut rng = fastrand::Rng::with_seed(20_261_122);
        let mut quotes = Quotes::default();
        for _ in 0..5_000 {
            let few = rng.bool();
            let text: Vec<u8> = (0..rng.usize(..300))
                .map(|_| match rng.u8(..if few { 40 } else { 8 }) {
                    0 | 1 => b'"',
                    2 => b'\\',
                    3 => b"\"\\/bfnrtux"[rng.usize(..10)],
                    4 if few => rng.u8(..),
                    _ => b'a',
                })
                .collect();
            let seen = |quotes: &Quotes| {
                let places = quotes.places[..quotes.count].to_vec();
                (places, quotes.ascii, quotes.sound, quotes.coded)
            };
            let (mut places, mut inside, mut sound, mut coded, mut escaped) =
                (Vec::new(), false, true, false, false);
            for (at, byte) in text.iter().enumerate() {
                if std::mem::take(&mut escaped) {
                    coded |= *byte == b'u';
                    sound &= b"\"\\/bfnrtu".contains(byte);
                    sound &= !(inside && *byte < b' ');
                    continue;
                }
                match byte {
                    b'\\' => escaped = true,
                    b'"' => {
                        places.push(at as u32);
                        inside = !inside;
                    }
                    0..0x20 if inside => sound = false,
                    _ => {}
                }
            }
            // What is behind the text counts as a blank.
            sound &= !inside && !escaped;
            let expected = (places, text.is_ascii(), sound, coded);
            for quoter in Quoter::of_this_processor() {
                quoter.find(&text, &mut quotes);
                assert_eq!(seen(&quotes), expected, "{:?}", String::from_utf8_lossy(&text));
            }
        }
    }

    #[test]
    fn all_processors_find_the_same() {
        const BYTES: &[u8] = b"\\\\\\\"\"\"::{{ab\x00\xff\n";
        let mut seed = 20_261_122_u64;
        let mut next = || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (seed >> 33) as usize
        };
        for round in 0..5_000 {
            let length = next() % 400;
            let text: Vec<u8> = (0..length)
                .map(|_| BYTES[next() % (BYTES.len() - round % 2)])
                .collect();
            let from = next() % (length + 1);
            let expected = plainly(&text, from);
            for marker in Marker::of_this_processor() {
                let mut marks = Marks::default();
                marker.line(&text, from, &mut marks);
                let found = (
                    marks.colons[..marks.count].to_vec(),
                    marks.opens,
                    marks.end,
                    marks.closed,
                );
                assert_eq!(
                    found,
                    expected,
                    "{:?} from {from}",
                    String::from_utf8_lossy(&text)
                );
            }
        }
    }
}
