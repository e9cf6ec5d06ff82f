import COpenSSL

/// OpenSSL's state of decrypting with one key.
///
/// One reader uses it at a time; a copy of that reader must not be used beside it.
final class CipherContext: @unchecked Sendable {
    private let raw: OpaquePointer

    /// Sets a key; nil if OpenSSL does not have the cipher.
    ///
    /// - Parameters:
    ///   - suite: The suite.
    ///   - key: The key.
    ///   - tag: The length of the tag of an authenticated cipher in bytes; nil for CBC.
    ///   - iv: The first IV of a CBC cipher that has no IV in its records.
    init?(_ suite: CipherSuite, _ key: [UInt8], tag: Int?, iv: [UInt8] = []) {
        OpenSSL.prepare()
        OpenSSLErrors.clear()
        guard let raw = EVP_CIPHER_CTX_new() else { return nil }
        self.raw = raw
        guard key.count == suite.keyLength, EVP_DecryptInit_ex(raw, suite.cipher, nil, nil, nil) == 1 else {
            return nil
        }
        if let tag {
            guard EVP_CIPHER_CTX_ctrl(raw, EVP_CTRL_AEAD_SET_IVLEN, 12, nil) == 1 else { return nil }
            // The key of CCM depends on the length of the tag.
            if case .ccm = suite.mode, EVP_CIPHER_CTX_ctrl(raw, EVP_CTRL_AEAD_SET_TAG, Int32(tag), nil) != 1 {
                return nil
            }
            guard EVP_DecryptInit_ex(raw, nil, nil, key, nil) == 1 else { return nil }
        } else {
            let first = iv.isEmpty ? [UInt8](repeating: 0, count: 16) : iv
            guard EVP_DecryptInit_ex(raw, nil, nil, key, first) == 1 else { return nil }
            EVP_CIPHER_CTX_set_padding(raw, 0)
        }
    }

    deinit { EVP_CIPHER_CTX_free(raw) }

    /// Decrypts and authenticates bytes.
    ///
    /// - Parameters:
    ///   - sealed: The encrypted bytes without their tag.
    ///   - tag: The tag.
    ///   - nonce: The nonce, 12 bytes.
    ///   - data: The additional data.
    ///   - needsCount: Whether the cipher must know the number of bytes first (CCM).
    ///   - room: Room for as many bytes as are encrypted.
    /// - Returns: Whether they are authentic.
    func open(
        _ sealed: UnsafeRawBufferPointer,
        tag: [UInt8],
        nonce: [UInt8],
        _ data: [UInt8],
        needsCount: Bool,
        into room: UnsafeMutableRawBufferPointer
    ) -> Bool {
        OpenSSLErrors.clear()
        var (tag, count) = (tag, Int32(0))
        let (bytes, length) = (sealed.baseAddress?.assumingMemoryBound(to: UInt8.self), Int32(sealed.count))
        let target = room.baseAddress?.assumingMemoryBound(to: UInt8.self)
        guard nonce.count == 12, EVP_DecryptInit_ex(raw, nil, nil, nil, nonce) == 1,
            EVP_CIPHER_CTX_ctrl(raw, EVP_CTRL_AEAD_SET_TAG, Int32(tag.count), &tag) == 1
        else { return false }
        if needsCount, EVP_DecryptUpdate(raw, nil, &count, nil, length) != 1 { return false }
        guard EVP_DecryptUpdate(raw, nil, &count, data, Int32(data.count)) == 1 else { return false }
        if length > 0, EVP_DecryptUpdate(raw, target, &count, bytes, length) != 1 { return false }
        // CCM has authenticated already.
        return needsCount || EVP_DecryptFinal_ex(raw, target?.advanced(by: sealed.count), &count) == 1
    }

    /// Decrypts the next blocks of CBC; returns false if OpenSSL does not.
    func decrypt(_ blocks: UnsafeRawBufferPointer, into room: UnsafeMutableRawBufferPointer) -> Bool {
        OpenSSLErrors.clear()
        var count: Int32 = 0
        let source = blocks.baseAddress?.assumingMemoryBound(to: UInt8.self)
        let target = room.baseAddress?.assumingMemoryBound(to: UInt8.self)
        return EVP_DecryptUpdate(raw, target, &count, source, Int32(blocks.count)) == 1 && Int(count) == blocks.count
    }
}

/// The records of a CBC suite.
///
/// Source: RFC 5246 section 6.2.3.2, RFC 7366 (encrypt-then-MAC).
struct CBCRecords: Hashable, Sendable {
    /// The size of a block in bytes.
    var block: Int
    var mac: Hash
    var key: [UInt8]
    /// Whether each record begins with its IV; otherwise the last block of the record before it is the IV.
    var hasIV: Bool
    /// Whether the encrypted bytes are authenticated.
    var macsLast: Bool

    /// Decrypts a record, and returns the place of its content in the room; nil if it is not authentic.
    func open(
        _ body: UnsafeRawBufferPointer,
        _ type: UInt8,
        _ version: UInt16,
        _ number: UInt64,
        _ context: CipherContext,
        into room: UnsafeMutableRawBufferPointer
    ) -> Range<Int>? {
        let sealed = UnsafeRawBufferPointer(rebasing: macsLast ? body.dropLast(mac.length) : body[...])
        guard sealed.count >= block, sealed.count.isMultiple(of: block), room.count >= sealed.count else { return nil }
        let header = number.bytes + [type, 3, UInt8(truncatingIfNeeded: version)]
        if macsLast {
            let code = mac.authenticate(header + UInt16(clamping: sealed.count).bytes + sealed, key: key)
            guard code.elementsEqual(body.suffix(mac.length)) else { return nil }
        }
        // An IV is decrypted as if it were a block before the first one: only what it gives is wrong.
        guard context.decrypt(sealed, into: room) else { return nil }
        let start = hasIV ? block : 0
        let tail = Int(room[sealed.count - 1]) + 1
        let end = sealed.count - tail - (macsLast ? 0 : mac.length)
        guard end >= start, room[(sealed.count - tail)..<sealed.count].allSatisfy({ $0 == UInt8(tail - 1) }) else {
            return nil
        }
        if !macsLast {
            let code = mac.authenticate(header + UInt16(clamping: end - start).bytes + room[start..<end], key: key)
            guard code.elementsEqual(room[end..<(end + mac.length)]) else { return nil }
        }
        return start..<end
    }
}
