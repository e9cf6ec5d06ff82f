import WeirDissect
import WeirWire

// The records of a connection.
extension TLSDecryptor {
    /// The maximum number of bytes of a client that wait for the server's hello.
    private static var mostWaiting: Int { 256 << 10 }
    /// The number of records that may not decrypt, where those of another secret can come first.
    static var tolerance: Int { 1024 }

    /// Reads a record.
    mutating func handle(
        _ record: RawSpan,
        _ header: RecordHeader,
        _ side: Int,
        at time: Int64?,
        _ receiver: Receiver
    ) {
        if !sides[side].early.isEmpty, openEarly(record, header, side, at: time, receiver) { return }
        guard let cipher = sides[side].cipher else { return handleClear(record, header, side, at: time, receiver) }
        let isNew = connection?.isNew ?? false
        if isNew, header.type != 23 {
            // A change of ciphers means nothing in TLS 1.3; an alert is in the clear if it says that the handshake failed.
            if header.type == 20 { return }
            if header.type == 21 { return give(handshake: record, side, at: time, receiver) }
            stop(side, .noRecord)
            return lose(record, side, at: time, receiver)
        }
        open(record, header, side, cipher, at: time, receiver)
    }

    private mutating func open(
        _ record: RawSpan,
        _ header: RecordHeader,
        _ side: Int,
        _ cipher: RecordCipher,
        at time: Int64?,
        _ receiver: Receiver
    ) {
        var cipher = cipher
        withUnsafeTemporaryAllocation(byteCount: record.byteCount + 64, alignment: 16) { room in
            guard let opened = record.withUnsafeBytes({ cipher.open($0, header, into: room) }) else {
                guard sides[side].tolerance > 0, cipher.records == 0 else {
                    stop(side, .wrongSecret)
                    return lose(record, side, at: time, receiver)
                }
                sides[side].tolerance -= 1
                return give(handshake: record, side, at: time, receiver)
            }
            if cipher.records == 1, let hello = connection?.hello { decryption.note(decrypted: hello.random) }
            sides[side].cipher = cipher
            let content = UnsafeRawBufferPointer(rebasing: room[opened.range])
            handle(opened: content, opened.type, header.version, side, at: time, receiver)
        }
    }

    /// Reads what was in an encrypted record.
    private mutating func handle(
        opened content: UnsafeRawBufferPointer,
        _ type: UInt8,
        _ version: UInt16,
        _ side: Int,
        at time: Int64?,
        _ receiver: Receiver
    ) {
        switch type {
        case 23:
            guard !content.isEmpty else { return }
            connection?.hasContent = true
            return give(content.bytes, side, .decrypted, at: time, receiver)
        case 22:
            give(clear: content, type, version, side, at: time, receiver)
            for message in sides[side].handshake.add(content) { take(message, side, receiver) }
        case 21:
            give(clear: content, type, version, side, at: time, receiver)
            // After close_notify, and after what is fatal, nothing of the connection follows. Source: RFC 8446 section 6.
            if content.count == 2, content[0] == 2 || content[1] == 0 { end(side) }
        case 20: changeCipher(side)
        default: break
        }
    }

    private mutating func end(_ side: Int) {
        sides[side].mode = .plain
        sides[side].cipher = nil
    }

    private mutating func handleClear(
        _ record: RawSpan,
        _ header: RecordHeader,
        _ side: Int,
        at time: Int64?,
        _ receiver: Receiver
    ) {
        guard var connection else { return lose(record, side, at: time, receiver) }
        let waits = side == connection.client && connection.answer == nil && connection.secrets != nil
        if waits, header.type == 23 || !connection.waiting.isEmpty {
            // Data before the server's answer. A server that asks for another hello has not taken it.
            if connection.isRetried, header.type == 23 { return give(handshake: record, side, at: time, receiver) }
            guard connection.waitingBytes + record.byteCount <= Self.mostWaiting else {
                stop(side, .noSecret)
                giveWaiting(receiver)
                return lose(record, side, at: time, receiver)
            }
            connection.waitingBytes += record.byteCount
            connection.waiting.append((record.withUnsafeBytes { Array($0) }, time))
            return self.connection = connection
        }
        switch header.type {
        case 22:
            let body = record.extracting(droppingFirst: RecordHeader.size)
            let messages = body.withUnsafeBytes { sides[side].handshake.add($0) }
            // The client's hello decides whether this is a handshake to leave out.
            for message in messages where message.type == 1 { take(message, side, receiver) }
            give(handshake: record, side, at: time, receiver)
            for message in messages where message.type != 1 { take(message, side, receiver) }
        case 20:
            // Before the server's answer it is one of TLS 1.3, in which it means nothing.
            if connection.secrets != nil, connection.answer == nil { return }
            give(handshake: record, side, at: time, receiver)
            if connection.answer != nil, !connection.isNew { changeCipher(side) }
        case 23:
            stop(side, .noRecord)
            lose(record, side, at: time, receiver)
        default: give(handshake: record, side, at: time, receiver)
        }
    }

    /// Gives a record of a handshake, unless content was given already.
    private mutating func give(handshake record: RawSpan, _ side: Int, at time: Int64?, _ receiver: Receiver) {
        guard let connection else { return give(record, side, .stream, at: time, receiver) }
        if !connection.hasContent { give(record, side, .handshake, at: time, receiver) }
    }

    /// Gives a decrypted part of a handshake as a record in the clear.
    private mutating func give(
        clear content: UnsafeRawBufferPointer,
        _ type: UInt8,
        _ version: UInt16,
        _ side: Int,
        at time: Int64?,
        _ receiver: Receiver
    ) {
        guard connection?.hasContent == false else { return }
        let record = [type] + version.bytes + UInt16(clamping: content.count).bytes + content
        give(handshake: record.span.bytes, side, at: time, receiver)
    }

    // MARK: - The handshake

    private mutating func take(_ message: HandshakeMessages.Message, _ side: Int, _ receiver: Receiver) {
        switch message.type {
        case 1 where side == connection?.client: takeClient(Hello(message.body, isClient: true), side)
        case 2 where side != connection?.client:
            if let hello = Hello(message.body, isClient: false) { takeServer(hello, side, receiver) }
        case 20 where connection?.isNew == true: finishHandshake(side)
        case 24 where connection?.isNew == true && sides[side].cipher != nil:
            // Source: RFC 8446 section 7.2.
            guard let suite = connection?.answer?.suite.flatMap({ CipherSuite($0) }) else { return }
            let next = KeyDerivation.expand(sides[side].secret, "traffic upd", suite.hash.length, suite.hash)
            setSecret(next, suite, side)
        default: break
        }
    }

    /// Takes the client's hello: the first one, the one after a HelloRetryRequest, or the one of a renegotiation.
    private mutating func takeClient(_ hello: Hello?, _ side: Int) {
        guard let hello, let secrets = decryption.secrets(of: hello.random) else {
            guard connection?.hello == nil else { return }
            connection = nil
            return sides[side].mode = .plain
        }
        let isFirst = connection?.hello == nil
        connection?.hello = hello
        connection?.secrets = secrets
        guard isFirst else { return }
        beginEarly(hello, secrets, side)
        let server = 1 - side
        sides[server].mode = .records
        sides[server].handshake = HandshakeMessages()
        sides[server].cipher = nil
    }

    private mutating func takeServer(_ hello: Hello, _ side: Int, _ receiver: Receiver) {
        let client = 1 - side
        let waiting = connection?.waiting ?? []
        connection?.waiting = []
        connection?.waitingBytes = 0
        if hello.isRetry {
            connection?.isRetried = true
        } else {
            connection?.answer = hello
            begin(hello, side)
        }
        for (record, time) in waiting {
            guard let header = record.withUnsafeBytes({ RecordHeader($0) }) else { continue }
            switch sides[client].mode {
            case .records: handle(record.span.bytes, header, client, at: time, receiver)
            case .plain, .lost: lose(record.span.bytes, client, at: time, receiver)
            }
        }
    }

    /// Begins to decrypt, as the server's hello says.
    private mutating func begin(_ hello: Hello, _ server: Int) {
        let client = 1 - server
        guard (0x0301...0x0304).contains(hello.version) else { return stopBoth(.unknownVersion(hello.version)) }
        guard let number = hello.suite, let suite = CipherSuite(number) else {
            return stopBoth(.unknownSuite(hello.suite ?? 0))
        }
        guard hello.version == 0x0304, let secrets = connection?.secrets else { return }
        let hasEarlyData = connection?.hello?.hasEarlyData ?? false
        setSecrets(secrets.serverHandshake, secrets.server, suite, server, isTolerant: false)
        setSecrets(secrets.clientHandshake, secrets.client, suite, client, isTolerant: hasEarlyData)
    }

    private mutating func stopBoth(_ reason: TLSDecryption.Stop) {
        for side in sides.indices { stop(side, reason) }
    }

    /// Sets the secrets of a direction in TLS 1.3; without that of the handshake, its records are passed over.
    private mutating func setSecrets(
        _ handshake: [UInt8]?,
        _ content: [UInt8]?,
        _ suite: CipherSuite,
        _ side: Int,
        isTolerant: Bool
    ) {
        guard let first = handshake ?? content else { return stop(side, .noSecret) }
        sides[side].next = handshake == nil ? nil : content
        sides[side].tolerance = handshake == nil || isTolerant ? Self.tolerance : 0
        sides[side].handshake = HandshakeMessages()
        setSecret(first, suite, side)
    }

    private mutating func setSecret(_ secret: [UInt8], _ suite: CipherSuite, _ side: Int) {
        guard let cipher = RecordCipher(suite, secret: secret) else {
            return stop(side, .unknownSuite(connection?.answer?.suite ?? 0))
        }
        sides[side].secret = secret
        sides[side].cipher = cipher
    }

    /// Takes the secret that follows a direction's Finished.
    private mutating func finishHandshake(_ side: Int) {
        guard sides[side].cipher != nil, connection?.secrets?.isHandshake(sides[side].secret) == true else { return }
        guard let next = sides[side].next, let suite = connection?.answer?.suite.flatMap({ CipherSuite($0) }) else {
            return stop(side, .noSecret)
        }
        sides[side].tolerance = 0
        sides[side].next = nil
        setSecret(next, suite, side)
    }

    /// Takes the keys that follow a direction's ChangeCipherSpec in TLS 1.2 and before.
    private mutating func changeCipher(_ side: Int) {
        guard let connection, !connection.isNew, let hello = connection.hello, let answer = connection.answer,
            let suite = answer.suite.flatMap({ CipherSuite($0) })
        else { return }
        guard let master = connection.secrets?.master else { return stop(side, .noSecret) }
        let block = KeyBlock(
            suite,
            master: master,
            client: hello.random,
            server: answer.random,
            version: answer.version
        )
        let isClient = side == connection.client
        let (version, macsLast) = (answer.version, answer.macsLast)
        guard let cipher = RecordCipher(suite, block: block, isClient: isClient, version: version, macsLast: macsLast)
        else { return stop(side, .unknownSuite(answer.suite ?? 0)) }
        sides[side].cipher = cipher
    }
}

extension KeyLog.Secrets {
    /// Whether a secret is one of the handshake.
    fileprivate func isHandshake(_ secret: [UInt8]) -> Bool { secret == clientHandshake || secret == serverHandshake }
}
