/// The block cipher AES-128, for encryption.
///
/// Weir decrypts only data that is public to anyone with the packet, such as a QUIC Initial, so the code is not
/// constant-time.
///
/// Source: FIPS 197 section 5.
struct AES128: Sendable {
    /// The 11 round keys of 16 bytes each.
    private var keys: [UInt8]

    /// Creates a cipher; nil unless the key has 16 bytes.
    init?(key: [UInt8]) {
        guard key.count == 16 else { return nil }
        keys = key
        var factor: UInt8 = 1
        for index in stride(from: 16, to: 176, by: 4) {
            var word = Array(keys[(index - 4)..<index])
            if index % 16 == 0 {
                word = [word[1], word[2], word[3], word[0]].map { Self.box[Int($0)] }
                word[0] ^= factor
                factor = Self.double(factor)
            }
            for place in 0..<4 { keys.append(keys[index - 16 + place] ^ word[place]) }
        }
    }

    /// Returns the encrypted block of 16 bytes.
    ///
    /// - Precondition: The block has 16 bytes.
    func encrypt(_ block: [UInt8]) -> [UInt8] {
        precondition(block.count == 16, "a block has 16 bytes")
        var state = block
        addKey(0, to: &state)
        for round in 1...10 {
            // Bytes are replaced, and the rows of the square of four columns are shifted.
            state = (0..<16).map { Self.box[Int(state[($0 + 4 * ($0 % 4)) % 16])] }
            if round < 10 { Self.mixColumns(&state) }
            addKey(round, to: &state)
        }
        return state
    }

    private func addKey(_ round: Int, to state: inout [UInt8]) {
        for index in 0..<16 { state[index] ^= keys[16 * round + index] }
    }

    private static func mixColumns(_ state: inout [UInt8]) {
        for column in stride(from: 0, to: 16, by: 4) {
            let bytes = Array(state[column..<(column + 4)])
            let all = bytes.reduce(0, ^)
            for row in 0..<4 { state[column + row] ^= all ^ double(bytes[row] ^ bytes[(row + 1) % 4]) }
        }
    }

    private static func double(_ byte: UInt8) -> UInt8 { byte << 1 ^ (byte & 0x80 == 0 ? 0 : 0x1b) }

    /// The S-box: for each byte its inverse in the field of 256 elements, under an affine map.
    private static let box: [UInt8] = {
        var box = [UInt8](repeating: 0x63, count: 256)
        // 3 generates the field: its powers run through all elements but 0, and the powers of its inverse through their
        // inverses.
        var (power, inverse): (UInt8, UInt8) = (1, 1)
        repeat {
            power ^= double(power)
            inverse ^= inverse << 1
            inverse ^= inverse << 2
            inverse ^= inverse << 4
            if inverse & 0x80 != 0 { inverse ^= 0x09 }
            let turned = [1, 2, 3, 4].map { inverse << $0 | inverse >> (8 - $0) }.reduce(inverse, ^)
            box[Int(power)] = turned ^ 0x63
        } while power != 1
        return box
    }()
}

/// The decryption of AES-128-GCM: counter mode with Galois authentication.
///
/// Source: NIST SP 800-38D section 7.2.
struct AES128GCM: Sendable {
    /// The size of the authentication tag, in bytes.
    static let tagSize = 16

    private let cipher: AES128
    private let hashKey: (UInt64, UInt64)

    /// Creates a cipher; nil unless the key has 16 bytes.
    init?(key: [UInt8]) {
        guard let cipher = AES128(key: key) else { return nil }
        self.cipher = cipher
        hashKey = Self.words(cipher.encrypt(Array(repeating: 0, count: 16))[...])
    }

    /// Returns the plain bytes; nil if the tag at the end does not match, or the nonce is not 12 bytes long.
    func open(_ bytes: ArraySlice<UInt8>, nonce: [UInt8], additional: ArraySlice<UInt8>) -> [UInt8]? {
        guard nonce.count == 12, bytes.count >= Self.tagSize else { return nil }
        let text = bytes.dropLast(Self.tagSize)
        var hash: (UInt64, UInt64) = (0, 0)
        add(additional, to: &hash)
        add(text, to: &hash)
        multiply(&hash, with: (UInt64(additional.count) * 8, UInt64(text.count) * 8))
        let mask = Self.words(cipher.encrypt(nonce + [0, 0, 0, 1])[...])
        let tag = Self.words(bytes.suffix(Self.tagSize))
        guard hash.0 ^ mask.0 == tag.0, hash.1 ^ mask.1 == tag.1 else { return nil }
        return apply(to: text, nonce)
    }

    private func apply(to text: ArraySlice<UInt8>, _ nonce: [UInt8]) -> [UInt8] {
        var (plain, counter): ([UInt8], UInt32) = ([], 2)
        plain.reserveCapacity(text.count)
        var start = text.startIndex
        while start < text.endIndex {
            let number = (0..<4).map { UInt8(truncatingIfNeeded: counter >> (24 - 8 * UInt32($0))) }
            let key = cipher.encrypt(nonce + number)
            let end = min(start + 16, text.endIndex)
            for index in start..<end { plain.append(text[index] ^ key[index - start]) }
            counter &+= 1
            start = end
        }
        return plain
    }

    /// Adds blocks to the hash, the last one padded with zeros.
    private func add(_ bytes: ArraySlice<UInt8>, to hash: inout (UInt64, UInt64)) {
        var start = bytes.startIndex
        while start < bytes.endIndex {
            let end = min(start + 16, bytes.endIndex)
            multiply(&hash, with: Self.words(bytes[start..<end]))
            start = end
        }
    }

    /// Adds a block, and multiplies by the key in the field of 2 to the 128 elements.
    private func multiply(_ hash: inout (UInt64, UInt64), with block: (UInt64, UInt64)) {
        let value = (hash.0 ^ block.0, hash.1 ^ block.1)
        var (product, key): ((UInt64, UInt64), (UInt64, UInt64)) = ((0, 0), hashKey)
        for bit in 0..<128 {
            let isSet = (bit < 64 ? value.0 >> UInt64(63 - bit) : value.1 >> UInt64(127 - bit)) & 1 == 1
            if isSet { product = (product.0 ^ key.0, product.1 ^ key.1) }
            let carries = key.1 & 1 == 1
            key = (key.0 >> 1, key.1 >> 1 | key.0 << 63)
            if carries { key.0 ^= 0xe1 << 56 }
        }
        hash = product
    }

    private static func words(_ bytes: ArraySlice<UInt8>) -> (UInt64, UInt64) {
        var words: (UInt64, UInt64) = (0, 0)
        for (index, byte) in bytes.enumerated() {
            if index < 8 {
                words.0 |= UInt64(byte) << UInt64(56 - 8 * index)
            } else {
                words.1 |= UInt64(byte) << UInt64(120 - 8 * index)
            }
        }
        return words
    }
}
