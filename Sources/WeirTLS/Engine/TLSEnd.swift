import COpenSSL
import CTLS

/// One end of a TLS connection: bytes in, bytes out.
///
/// It makes no system call and knows no clock. Its owner lends it what has arrived (`receive`), lets it work (`handshake`, `read`,
/// `write`, `finish`), sends what is `outgoing`, and then ends the loan (`settle`).
package final class TLSEnd {
    /// How far the handshake is.
    package enum Handshake: Hashable, Sendable {
        /// More bytes must arrive.
        case waits
        /// The server asks for a certificate: `answer(with:)` must come before the handshake goes on.
        case wantsCertificate
        case done
        case failed(TLSFailure)
    }

    /// The outcome of a read.
    package enum Read: Hashable, Sendable {
        /// This many bytes were written into the room.
        case bytes(Int)
        /// More bytes must arrive.
        case waits
        /// The peer said that it sends no more (close_notify).
        case ended
        /// The connection's bytes ended without close_notify.
        case truncated
        case failed(TLSFailure)
    }

    private let raw: OpaquePointer
    private let io: OpaquePointer
    /// Kept as long as the connection: OpenSSL counts its own references, its callbacks need no more.
    private let context: TLSContext
    /// The protocol that is chosen, if the client offers it; nil for none.
    private let mirrored: [UInt8]?
    /// The lines of the key log since they were taken last.
    private var keys: [String] = []
    /// Whether the peer said that it sends no more.
    private var hasCloseNotify = false
    private var hasInputEnded = false
    /// Whether the last read left something: bytes for which there was no room, an end or a failure.
    package private(set) var hasMore = false
    /// The end or the failure after all bytes, which OpenSSL tells once: later it takes a failure for an end.
    private var ending: Read?
    private var verifies = false
    /// Whether the server's request for a certificate has had its answer.
    private var isCertificateAnswered = false
    /// Whether the server's request for a certificate waits for its answer.
    package private(set) var waitsForCertificate = false

    /// Makes the end of a client.
    ///
    /// - Parameters:
    ///   - context: the shared settings.
    ///   - serverName: the name that the server is told (SNI); nil for none.
    ///   - verifiedName: the name or the address that the server's certificate must have, if it is verified.
    ///   - protocols: the protocols that are offered (ALPN), in their order.
    /// - Throws: `TLSFailure.noMemory`.
    package convenience init(
        client context: TLSContext,
        serverName: String?,
        verifiedName: String? = nil,
        protocols: [[UInt8]] = []
    ) throws(TLSFailure) {
        try self.init(context, mirrored: nil)
        SSL_set_connect_state(raw)
        SSL_set_cert_cb(raw, { ssl, _ in TLSEnd.of(ssl).map { $0.isCertificateAnswered ? 1 : -1 } ?? 1 }, nil)
        if let serverName, !weir_tls_set_name(raw, serverName) { throw .noMemory }
        if !protocols.isEmpty {
            let list = protocols.flatMap { [UInt8(clamping: $0.count)] + $0 }
            // This one returns 0 for success.
            guard SSL_set_alpn_protos(raw, list, UInt32(list.count)) == 0 else { throw .noMemory }
        }
        guard SSL_get_verify_mode(raw) != SSL_VERIFY_NONE else { return }
        verifies = true
        guard let verifiedName else { return }
        let parameters = SSL_get0_param(raw)
        if X509_VERIFY_PARAM_set1_ip_asc(parameters, verifiedName) == 1 { return }
        SSL_set_hostflags(raw, UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS))
        guard SSL_set1_host(raw, verifiedName) == 1 else { throw .noMemory }
    }

    /// Makes the end of a server.
    ///
    /// - Parameters:
    ///   - context: the shared settings.
    ///   - certificate: the certificate and its key, which the client sees.
    ///   - chosen: the protocol that is chosen (ALPN), if the client offers it.
    /// - Throws: `TLSFailure.noMemory`.
    package convenience init(
        server context: TLSContext,
        certificate: TLSCertificate,
        choosing chosen: [UInt8]? = nil
    ) throws(TLSFailure) {
        try self.init(context, mirrored: chosen)
        SSL_set_accept_state(raw)
        guard use(certificate) else { throw .noMemory }
    }

    private func use(_ certificate: TLSCertificate) -> Bool {
        guard SSL_use_certificate(raw, certificate.certificate.raw) == 1,
            SSL_use_PrivateKey(raw, certificate.key.raw) == 1
        else { return false }
        return certificate.chain.allSatisfy { issuer in
            // A macro (SSL_add1_chain_cert): control 89 with 1 adds a reference.
            SSL_ctrl(raw, 89, 1, UnsafeMutableRawPointer(issuer.raw)) == 1
        }
    }

    private init(_ context: TLSContext, mirrored: [UInt8]?) throws(TLSFailure) {
        OpenSSLErrors.clear()
        guard let io = weir_tls_io_make() else { throw .noMemory }
        guard let raw = SSL_new(context.raw), weir_tls_attach(raw, io) else {
            weir_tls_io_free(io)
            throw .noMemory
        }
        (self.raw, self.io, self.context, self.mirrored) = (raw, io, context, mirrored)
        SSL_set_ex_data(raw, 0, Unmanaged.passUnretained(self).toOpaque())
    }

    deinit {
        SSL_free(raw)
        weir_tls_io_free(io)
    }

    /// Returns the end of a callback.
    static func of(_ ssl: OpaquePointer?) -> TLSEnd? {
        guard let ssl, let pointer = SSL_get_ex_data(ssl, 0) else { return nil }
        return Unmanaged<TLSEnd>.fromOpaque(pointer).takeUnretainedValue()
    }

    // MARK: - Bytes

    /// Lends bytes that have arrived, and room for those that will be sent, until `settle`.
    package func receive(_ bytes: UnsafeRawBufferPointer, room: UnsafeMutableRawBufferPointer) {
        weir_tls_io_lend(io, bytes.baseAddress, bytes.count, room.baseAddress, room.count)
    }

    /// Notes that no byte will arrive.
    package func inputEnded() {
        hasInputEnded = true
        weir_tls_io_end(io)
    }

    /// Ends the loan: what was not taken or not sent is copied.
    ///
    /// - Returns: false if there is no memory; the connection is lost then.
    package func settle() -> Bool { weir_tls_io_settle(io) }

    /// The bytes that are to be sent; valid until the next call.
    package var outgoing: UnsafeRawBufferPointer {
        var count = 0
        let bytes = weir_tls_io_outgoing(io, &count)
        return UnsafeRawBufferPointer(start: bytes, count: count)
    }

    /// Removes the first bytes of `outgoing`.
    package func sent(_ count: Int) { weir_tls_io_sent(io, count) }

    // MARK: - Work

    /// Goes on with the handshake.
    package func handshake() -> Handshake {
        OpenSSLErrors.clear()
        let status = SSL_do_handshake(raw)
        if status == 1 { return .done }
        switch SSL_get_error(raw, status) {
        case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE: return .waits
        case SSL_ERROR_WANT_X509_LOOKUP:
            waitsForCertificate = true
            return .wantsCertificate
        default: return .failed(failure(isHandshake: true))
        }
    }

    /// Answers a server's request for a certificate; nil for none.
    ///
    /// - Returns: false if there is no memory.
    package func answer(with certificate: TLSCertificate?) -> Bool {
        (isCertificateAnswered, waitsForCertificate) = (true, false)
        return certificate.map(use) ?? true
    }

    /// Asks the client for a certificate, as a server has asked the end of a client; any is taken, and none.
    ///
    /// - Parameter asked: the end that a server has asked; nil to take those of any issuer.
    package func askForCertificate(as asked: TLSEnd?) {
        SSL_set_verify(raw, SSL_VERIFY_PEER) { _, _ in 1 }
        // The issuers that the server takes; the list is given away.
        if let asked, let issuers = SSL_get_client_CA_list(asked.raw) {
            SSL_set_client_CA_list(raw, SSL_dup_CA_list(issuers))
        }
    }

    /// Reads decrypted bytes.
    package func read(into room: UnsafeMutableRawBufferPointer) -> Read {
        OpenSSLErrors.clear()
        hasMore = false
        if let ending { return ending }
        var total = 0
        while total < room.count {
            var count = 0
            let status = SSL_read_ex(raw, room.baseAddress?.advanced(by: total), room.count - total, &count)
            guard status == 1 else {
                let outcome = outcome(SSL_get_error(raw, status))
                if outcome != .waits { ending = outcome }
                guard total > 0 else { return outcome }
                // What was read goes first; the next call returns the end, or the failure.
                hasMore = ending != nil
                return .bytes(total)
            }
            total += count
        }
        hasMore = true
        return .bytes(total)
    }

    private func outcome(_ error: Int32) -> Read {
        switch error {
        case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE: return .waits
        case SSL_ERROR_ZERO_RETURN: return hasCloseNotify ? .ended : .truncated
        default: return .failed(failure(isHandshake: false))
        }
    }

    /// Encrypts bytes; all of them, as `outgoing` takes as many as there are.
    ///
    /// - Returns: the failure; nil if they are encrypted.
    package func write(_ bytes: UnsafeRawBufferPointer) -> TLSFailure? {
        guard !bytes.isEmpty else { return nil }
        OpenSSLErrors.clear()
        var count = 0
        guard SSL_write_ex(raw, bytes.baseAddress, bytes.count, &count) == 1, count == bytes.count else {
            return failure(isHandshake: false)
        }
        return nil
    }

    /// Says that no byte follows (close_notify); what the peer sends can still be read.
    package func finish() {
        OpenSSLErrors.clear()
        SSL_shutdown(raw)
        OpenSSLErrors.clear()
    }

    /// Asks the peer to update its keys, and updates the own ones (TLS 1.3).
    ///
    /// - Returns: whether the connection can.
    @discardableResult
    package func updateKeys() -> Bool {
        SSL_key_update(raw, SSL_KEY_UPDATE_REQUESTED) == 1 && SSL_do_handshake(raw) == 1
    }

    private func failure(isHandshake: Bool) -> TLSFailure {
        if let alert = OpenSSLErrors.alert { return .alertReceived(alert) }
        let error = OpenSSLErrors.take()
        let verdict = SSL_get_verify_result(raw)
        if verifies, isHandshake, verdict != Int(X509_V_OK) {
            let reason = X509_verify_cert_error_string(verdict).map { String(cString: $0) } ?? "error \(verdict)"
            return .unverified(reason: reason)
        }
        if isHandshake, hasInputEnded || hasCloseNotify, error == nil { return .ended }
        return .protocolError(reason: error ?? "a fault in the peer's bytes")
    }

    // MARK: - Callbacks

    func note(keys line: String) { keys.append(line) }

    func noteCloseNotify() { hasCloseNotify = true }

    /// Chooses the protocol of `choosing` if the client offers it.
    func choose(
        _ chosen: UnsafeMutablePointer<UnsafePointer<UInt8>?>,
        _ length: UnsafeMutablePointer<UInt8>,
        from offered: UnsafeBufferPointer<UInt8>
    ) -> Int32 {
        guard let mirrored else { return SSL_TLSEXT_ERR_NOACK }
        var at = 0
        while at < offered.count {
            let name = (at + 1)..<(at + 1 + Int(offered[at]))
            guard name.upperBound <= offered.count else { break }
            if offered[name].elementsEqual(mirrored) {
                chosen.pointee = offered.baseAddress?.advanced(by: name.lowerBound)
                length.pointee = offered[at]
                return SSL_TLSEXT_ERR_OK
            }
            at = name.upperBound
        }
        return SSL_TLSEXT_ERR_NOACK
    }

    /// Removes and returns the lines of the key log since they were taken last, each without its end.
    ///
    /// OpenSSL tells a secret during the call that needs it first, so its line is here before the bytes are sent that it decrypts.
    /// Source: NSS Key Log Format.
    package func takeKeys() -> [String] {
        defer { keys = [] }
        return keys
    }

    // MARK: - What was agreed

    /// The version; nil before it is known.
    package var version: TLSVersion? { TLSVersion(rawValue: UInt16(truncatingIfNeeded: SSL_version(raw))) }

    /// The cipher suite's standard name; nil before it is known.
    package var cipher: String? {
        guard let cipher = SSL_get_current_cipher(raw), let name = SSL_CIPHER_standard_name(cipher) else { return nil }
        return String(cString: name)
    }

    /// The group of the key exchange, as in `x25519`; nil if there was none.
    package var group: String? { weir_tls_group(raw).map { String(cString: $0) } }

    /// The protocol that the server has chosen (ALPN); nil for none.
    package var chosenProtocol: [UInt8]? {
        var bytes: UnsafePointer<UInt8>?
        var count: UInt32 = 0
        SSL_get0_alpn_selected(raw, &bytes, &count)
        return bytes.map { Array(UnsafeBufferPointer(start: $0, count: Int(count))) }
    }

    /// The peer's certificate; nil if it has shown none.
    package var peerCertificate: X509Certificate? {
        SSL_get1_peer_certificate(raw).map { X509Certificate(owning: $0) }
    }
}
