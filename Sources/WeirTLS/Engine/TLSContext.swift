import COpenSSL
import CTLS

/// What all connections of one side of a route share.
///
/// Source: OpenSSL's SSL_CTX_new(3), which several threads may use once it has been set up.
package final class TLSContext: @unchecked Sendable {
    let raw: OpaquePointer

    /// Makes a context.
    ///
    /// - Parameter settings: the side's settings.
    /// - Throws: `TLSSetupError` if OpenSSL does not take one of them.
    package init(_ settings: TLSSettings) throws(TLSSetupError) {
        OpenSSL.prepare()
        OpenSSLErrors.clear()
        guard let raw = SSL_CTX_new(TLS_method()) else { throw TLSSetupError("no TLS context can be made") }
        self.raw = raw
        // No tickets and no cache: a connection that resumes another one hides its certificate and its keys, and without a
        // ticket no client can send early data.
        // An end without close_notify is an error for OpenSSL, after which it does not send any more; here it is one direction's end.
        SSL_CTX_set_options(raw, weir_tls_options())
        SSL_CTX_set_num_tickets(raw, 0)
        weir_tls_set_modes(raw)
        if settings.isLegacy || settings.versions.lowerBound < .v12 {
            SSL_CTX_set_security_level(raw, 0)
        }
        if settings.isLegacy { SSL_CTX_set_options(raw, weir_tls_legacy()) }
        let versions = settings.versions
        guard weir_tls_set_versions(raw, Int32(versions.lowerBound.rawValue), Int32(versions.upperBound.rawValue))
        else {
            throw TLSSetupError("OpenSSL does not speak \(versions.lowerBound) to \(versions.upperBound)")
        }
        if let ciphers = settings.ciphers { try set(ciphers) }
        if let trust = settings.trust { try load(trust) }
        if settings.keepsKeys { keepKeys() }
        SSL_CTX_set_info_callback(raw) { ssl, place, value in
            guard Int(place) & TLSContext.alertRead == TLSContext.alertRead,
                TLSAlert(rawValue: UInt8(value & 0xFF)) == .closeNotify
            else { return }
            TLSEnd.of(ssl)?.noteCloseNotify()
        }
        SSL_CTX_set_alpn_select_cb(
            raw,
            { ssl, chosen, length, offered, offeredLength, _ in
                guard let end = TLSEnd.of(ssl), let chosen, let length, let offered else { return SSL_TLSEXT_ERR_NOACK }
                return end.choose(chosen, length, from: UnsafeBufferPointer(start: offered, count: Int(offeredLength)))
            },
            nil
        )
    }

    deinit { SSL_CTX_free(raw) }

    /// Keeps the secrets of connections that begin later for `TLSEnd.takeKeys`; call it before other threads use the context.
    ///
    /// OpenSSL writes each digit of their lines by itself, which is a twelfth of a handshake's time.
    package func keepKeys() {
        SSL_CTX_set_keylog_callback(raw) { ssl, line in
            guard let end = TLSEnd.of(ssl), let line else { return }
            end.note(keys: String(cString: line))
        }
    }

    /// The places of the information callback: an alert (0x4000) that was read (0x04).
    private static let alertRead = 0x4004

    /// Sets the ciphers: names of TLS 1.3 begin with `TLS_`, the others are those of OpenSSL's list.
    private func set(_ ciphers: String) throws(TLSSetupError) {
        let names = ciphers.split(separator: ":").map(String.init)
        let new = names.filter { $0.hasPrefix("TLS_") }.joined(separator: ":")
        let old = names.filter { !$0.hasPrefix("TLS_") }.joined(separator: ":")
        if !new.isEmpty, SSL_CTX_set_ciphersuites(raw, new) != 1 {
            throw TLSSetupError("OpenSSL knows no such ciphers: \(new)")
        }
        if !old.isEmpty, SSL_CTX_set_cipher_list(raw, old) != 1 {
            throw TLSSetupError("OpenSSL knows no such ciphers: \(old)")
        }
    }

    private func load(_ trust: TLSTrust) throws(TLSSetupError) {
        switch trust {
        case .system(let others):
            guard SSL_CTX_set_default_verify_paths(raw) == 1 else {
                throw TLSSetupError("the system's certificates cannot be read")
            }
            for path in others { try load(path) }
        case .file(let path): try load(path)
        }
        SSL_CTX_set_verify(raw, SSL_VERIFY_PEER, nil)
    }

    private func load(_ path: String) throws(TLSSetupError) {
        guard SSL_CTX_load_verify_file(raw, path) == 1 else {
            let reason = OpenSSLErrors.take() ?? "an error"
            throw TLSSetupError("'\(path)' cannot be read as PEM certificates: \(reason)", .input)
        }
    }
}

/// The settings of one side of a route.
package struct TLSSettings: Hashable, Sendable {
    /// The versions that are spoken.
    package var versions: ClosedRange<TLSVersion>
    /// The ciphers, as OpenSSL's lists name them; nil for its default.
    package var ciphers: String?
    /// Whether faults of old peers are taken: weak keys, SHA-1, no secure renegotiation.
    package var isLegacy: Bool
    /// The certificates by which the peer's is verified; nil if it is not.
    package var trust: TLSTrust?
    /// Whether the secrets are kept for `TLSEnd.takeKeys`.
    package var keepsKeys: Bool

    /// Makes settings; those of a server verify nobody.
    package init(
        versions: ClosedRange<TLSVersion> = .v12 ... .v13,
        ciphers: String? = nil,
        isLegacy: Bool = false,
        trust: TLSTrust? = nil,
        keepsKeys: Bool = true
    ) {
        (self.versions, self.ciphers, self.isLegacy, self.trust) = (versions, ciphers, isLegacy, trust)
        self.keepsKeys = keepsKeys
    }
}

/// The certificates by which a peer's is verified.
package enum TLSTrust: Hashable, Sendable {
    /// Those of the system, and of some files in PEM.
    case system(and: [String] = [])
    /// Those of a file, in PEM.
    case file(String)
}
