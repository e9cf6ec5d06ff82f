import COpenSSL

/// OpenSSL as a whole.
enum OpenSSL {
    /// Prepares OpenSSL, so that it does not clean up when the program ends: other threads may be in the middle of something then.
    ///
    /// Its first use decides, so each type that may be the first one calls it.
    static func prepare() { _ = isPrepared }

    private static let isPrepared = OPENSSL_init_crypto(UInt64(OPENSSL_INIT_NO_ATEXIT), nil) == 1
}

/// OpenSSL's queue of errors, one for each thread.
enum OpenSSLErrors {
    /// Removes all errors: those of another connection would be taken for this one's.
    static func clear() { ERR_clear_error() }

    /// Removes all errors, and returns the reason of the first one; nil if there is none.
    static func take() -> String? {
        let code = ERR_get_error()
        guard code != 0 else { return nil }
        defer { ERR_clear_error() }
        return ERR_reason_error_string(code).map { String(cString: $0) } ?? "error \(code)"
    }
}

/// An error in the settings of TLS, or in a file of keys or certificates.
package struct TLSSetupError: Error, Hashable, CustomStringConvertible {
    package var description: String

    package init(_ description: String) { self.description = description }
}

/// A text in memory, which OpenSSL reads and writes.
final class MemoryText {
    let raw: OpaquePointer

    init?(_ bytes: [UInt8]) {
        OpenSSL.prepare()
        guard let raw = BIO_new(BIO_s_mem()) else { return nil }
        self.raw = raw
        var count = 0
        guard bytes.isEmpty || BIO_write_ex(raw, bytes, bytes.count, &count) == 1 else { return nil }
    }

    deinit { BIO_free(raw) }

    /// Returns what a function writes.
    static func written(_ write: (OpaquePointer) -> Int32) -> [UInt8] {
        guard let text = MemoryText([]), write(text.raw) >= 0 else { return [] }
        var bytes = [UInt8](repeating: 0, count: Int(BIO_ctrl_pending(text.raw)))
        var count = 0
        guard !bytes.isEmpty, BIO_read_ex(text.raw, &bytes, bytes.count, &count) == 1 else { return [] }
        return Array(bytes.prefix(count))
    }
}

extension [UInt8] {
    /// The bytes as hexadecimal digits, two each.
    package var hexadecimal: String { map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() }
}
