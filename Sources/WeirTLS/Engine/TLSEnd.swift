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
    private var alert: TLSAlert?
    private var hasInputEnded = false
    /// Whether the last read left something: bytes for which there was no room, an end or a failure.
    package private(set) var hasMore = false
    private var verifies = false

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
        guard SSL_use_certificate(raw, certificate.certificate.raw) == 1,
            SSL_use_PrivateKey(raw, certificate.key.raw) == 1
        else { throw .noMemory }
        for issuer in certificate.chain {
            // A macro (SSL_add1_chain_cert): control 89 with 1 adds a reference.
            guard SSL_ctrl(raw, 89, 1, UnsafeMutableRawPointer(issuer.raw)) == 1 else { throw .noMemory }
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
        default: return .failed(failure(isHandshake: true))
        }
    }

    /// Reads decrypted bytes.
    package func read(into room: UnsafeMutableRawBufferPointer) -> Read {
        OpenSSLErrors.clear()
        hasMore = false
        var total = 0
        while total < room.count {
            var count = 0
            let status = SSL_read_ex(raw, room.baseAddress?.advanced(by: total), room.count - total, &count)
            guard status == 1 else {
                let error = SSL_get_error(raw, status)
                guard total > 0 else { return outcome(error) }
                // What was read goes first; the next call finds the end, or the failure, again.
                hasMore = error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE
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
        case SSL_ERROR_ZERO_RETURN: return alert == .closeNotify ? .ended : .truncated
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
        let error = OpenSSLErrors.take()
        if let alert, alert != .closeNotify { return .alertReceived(alert) }
        let verdict = SSL_get_verify_result(raw)
        if verifies, isHandshake, verdict != Int(X509_V_OK) {
            let reason = X509_verify_cert_error_string(verdict).map { String(cString: $0) } ?? "error \(verdict)"
            return .unverified(reason: reason)
        }
        if isHandshake, hasInputEnded, error == nil { return .ended }
        return .protocolError(reason: error ?? "a fault in the peer's bytes")
    }

    // MARK: - Callbacks

    func note(keys line: String) { keys.append(line) }

    func note(alert: TLSAlert) { self.alert = alert }

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
