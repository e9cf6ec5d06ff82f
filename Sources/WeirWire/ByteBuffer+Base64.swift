extension ByteBuffer {
    /// Appends bytes in base64 with the standard alphabet, padded, without line breaks.
    ///
    /// Costs four characters for three bytes, and at most one allocation.
    ///
    /// Source: RFC 4648 section 4.
    public mutating func appendBase64(_ bytes: RawSpan) {
        let size = (bytes.byteCount + 2) / 3 * 4
        append(upTo: size) { target in
            guard let output = target.baseAddress else { return 0 }
            bytes.withUnsafeBytes { source in
                guard let input = source.baseAddress else { return }
                ByteBuffer.encodeBase64(input, count: source.count, to: output)
            }
            return size
        }
    }

    private static func encodeBase64(_ input: UnsafeRawPointer, count: Int, to output: UnsafeMutableRawPointer) {
        var from = 0
        var to = 0
        // 12 bytes become 16 characters. The last of the four loads reads one byte past the 12.
        while count &- from >= 13 {
            let words = SIMD4<UInt32>(
                triple(input, at: from),
                triple(input, at: from &+ 3),
                triple(input, at: from &+ 6),
                triple(input, at: from &+ 9)
            )
            output.storeBytes(of: characters(words), toByteOffset: to, as: SIMD16<UInt8>.self)
            from &+= 12
            to &+= 16
        }
        while from < count {
            let left = count &- from
            var word = UInt32(input.load(fromByteOffset: from, as: UInt8.self)) << 24
            if left > 1 { word |= UInt32(input.load(fromByteOffset: from &+ 1, as: UInt8.self)) << 16 }
            if left > 2 { word |= UInt32(input.load(fromByteOffset: from &+ 2, as: UInt8.self)) << 8 }
            let four = characters(SIMD4(repeating: word))
            let padding = UInt8(ascii: "=")
            output.storeBytes(of: four[0], toByteOffset: to, as: UInt8.self)
            output.storeBytes(of: four[1], toByteOffset: to &+ 1, as: UInt8.self)
            output.storeBytes(of: left > 1 ? four[2] : padding, toByteOffset: to &+ 2, as: UInt8.self)
            output.storeBytes(of: left > 2 ? four[3] : padding, toByteOffset: to &+ 3, as: UInt8.self)
            from &+= 3
            to &+= 4
        }
    }

    /// Loads three bytes into the upper 24 bits, the first one as the most significant; reads one byte more.
    @inline(__always)
    private static func triple(_ input: UnsafeRawPointer, at offset: Int) -> UInt32 {
        UInt32(bigEndian: input.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
    }

    /// Turns the upper 24 bits of each word into four characters.
    @inline(__always)
    private static func characters(_ words: SIMD4<UInt32>) -> SIMD16<UInt8> {
        let low = SIMD4<UInt32>(repeating: 0x3f)
        var sixes = (words &>> 26) & low
        sixes |= (words &>> 12) & (low &<< 8)
        sixes |= (words &<< 2) & (low &<< 16)
        sixes |= (words &<< 16) & (low &<< 24)
        #if _endian(big)
        sixes = SIMD4(sixes[0].byteSwapped, sixes[1].byteSwapped, sixes[2].byteSwapped, sixes[3].byteSwapped)
        #endif
        let values = unsafeBitCast(sixes, to: SIMD16<UInt8>.self)
        // The alphabet is A-Z, a-z, 0-9, +, /: the offset from value to character changes at the start of each range.
        var distance = SIMD16<UInt8>(repeating: 65)
        distance &+= 6 & atLeast(26, values)
        distance &-= 75 & atLeast(52, values)
        distance &-= 15 & atLeast(62, values)
        distance &+= 3 & atLeast(63, values)
        return values &+ distance
    }

    /// Returns 0xff for each value that reaches the bound, else 0; both are below 0x80.
    @inline(__always)
    private static func atLeast(_ bound: UInt8, _ values: SIMD16<UInt8>) -> SIMD16<UInt8> {
        signMask(of: values &+ SIMD16(repeating: 0x80 - bound))
    }
}
