import COpenSSL
import Glibc

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

    /// The fatal alert of a peer that is the first error; nil if that is another one, or there is none.
    ///
    /// Warnings are no errors. Source: SSL_AD_REASON_OFFSET (1000) of OpenSSL's ssl.h.
    static var alert: TLSAlert? {
        let reason = ERR_GET_REASON(ERR_peek_error())
        return (1000...1255).contains(reason) ? TLSAlert(rawValue: UInt8(reason - 1000)) : nil
    }

    /// Removes all errors, and returns the reason of the first one of TLS itself, or else of the first one; nil if there is none.
    ///
    /// What a cipher says of its failure comes before what that means for the connection.
    static func take() -> String? {
        var chosen: UInt = 0
        while case let code = ERR_get_error(), code != 0 {
            if chosen == 0 || ERR_GET_LIB(chosen) != ERR_LIB_SSL && ERR_GET_LIB(code) == ERR_LIB_SSL { chosen = code }
        }
        guard chosen != 0 else { return nil }
        // A macro (ERR_SYSTEM_ERROR): the highest of 32 bits says that the others are the system's number.
        if chosen & 0x8000_0000 != 0 { return String(cString: strerror(Int32(chosen & 0x7FFF_FFFF))) }
        return ERR_reason_error_string(chosen).map { String(cString: $0) } ?? "error \(chosen)"
    }
}

/// An error in the settings of TLS, or in a file of keys or certificates.
package struct TLSSetupError: Error, Hashable, CustomStringConvertible {
    /// What is wrong, for the exit code.
    package enum Kind: Hashable, Sendable {
        /// A setting.
        case setting
        /// A file that is to be read.
        case input
        /// A file or a folder that is to be made.
        case output
    }

    package var description: String
    package var kind: Kind

    package init(_ description: String, _ kind: Kind = .setting) { (self.description, self.kind) = (description, kind) }
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
