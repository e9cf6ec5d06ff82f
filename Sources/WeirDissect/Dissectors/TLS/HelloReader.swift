import WeirWire

/// A reader of a ClientHello or a ServerHello.
///
/// Source: RFC 8446 sections 4.1.2, 4.1.3 and 4.2; RFC 6066 section 3; RFC 7301.
struct HelloReader {
    private let hello: HandshakeMessage
    private let isClient: Bool
    /// The data of the client's fingerprint.
    private(set) var fingerprint = JA4()
    private(set) var version: UInt16 = 0
    private(set) var cipher: UInt16?
    private(set) var serverName: String?
    private(set) var protocols: [String] = []
    /// The protocols of ALPN as bytes, in their order.
    private(set) var protocolNames: [[UInt8]] = []
    private(set) var groups: [UInt16] = []

    /// Reads the hello, as far as it is valid.
    init(_ hello: HandshakeMessage, into message: inout DissectedMessage) {
        self.hello = hello
        isClient = hello.type == 1
        read(into: &message)
    }

    private mutating func read(into message: inout DissectedMessage) {
        // A separate variable, so that the bytes can be lent while the reader changes.
        let held = hello.bytes
        let bytes = held.span.bytes
        guard let version = bytes.number(at: 4, UInt16.self) else { return }
        self.version = version
        fingerprint.version = version
        message.add(TLSFields.version, 4..<6, hello, .number(UInt64(version)))
        message.add(TLSFields.random, 6..<38, hello, .number(bytes.number(at: 6, UInt64.self) ?? 0))
        // Drafts of TLS 1.3 before the 22nd have neither session ID nor compression here.
        let isDraft = !isClient && version >> 8 == 0x7f
        guard let session = isDraft ? 0 : bytes.byte(at: 38) else { return }
        var index = isDraft ? 38 : 39 + Int(session)
        if !isDraft { message.add(TLSFields.sessionID, 39..<index, hello, .number(UInt64(session))) }
        if isClient {
            guard let length = bytes.number(at: index, UInt16.self) else { return }
            let end = index + 2 + Int(length)
            readNumbers(bytes, (index + 2)..<end, TLSFields.cipher, into: &message) { $0.ciphers.append($1) }
            guard let methods = bytes.byte(at: end) else { return }
            index = end + 1 + Int(methods)
        } else {
            guard let cipher = bytes.number(at: index, UInt16.self) else { return }
            self.cipher = cipher
            message.add(TLSFields.cipher, index..<(index + 2), hello, .number(UInt64(cipher)))
            index += isDraft ? 2 : 3
        }
        guard let length = bytes.number(at: index, UInt16.self) else { return }
        readExtensions(bytes, (index + 2)..<min(index + 2 + Int(length), bytes.byteCount), into: &message)
    }

    private mutating func readExtensions(_ bytes: RawSpan, _ range: Range<Int>, into message: inout DissectedMessage) {
        var index = range.lowerBound
        while index + 4 <= range.upperBound, let type = bytes.number(at: index, UInt16.self),
            let length = bytes.number(at: index + 2, UInt16.self)
        {
            let data = (index + 4)..<(index + 4 + Int(length))
            guard data.upperBound <= range.upperBound else { return }
            fingerprint.extensions.append(type)
            message.add(TLSFields.extensionType, index..<(index + 2), hello, .number(UInt64(type)))
            switch type {
            case 0 where isClient: readServerName(bytes, data, into: &message)
            case 10 where isClient:
                var found: [UInt16] = []
                readNumbers(bytes, data.dropFirst(2), TLSFields.group, into: &message) { found.append($1) }
                groups += found
            case 13 where isClient:
                readNumbers(bytes, data.dropFirst(2), TLSFields.signature, into: &message) { $0.signatures.append($1) }
            case 16: readProtocols(bytes, data, into: &message)
            case 43: readVersions(bytes, data, into: &message)
            default: break
            }
            index = data.upperBound
        }
    }

    private mutating func readNumbers(
        _ bytes: RawSpan,
        _ range: Range<Int>,
        _ name: FieldName,
        into message: inout DissectedMessage,
        _ note: (inout JA4, UInt16) -> Void
    ) {
        var index = range.lowerBound
        while index + 2 <= range.upperBound, let number = bytes.number(at: index, UInt16.self) {
            message.add(name, index..<(index + 2), hello, .number(UInt64(number)))
            note(&fingerprint, number)
            index += 2
        }
    }

    /// Source: RFC 6066 section 3.
    private mutating func readServerName(_ bytes: RawSpan, _ data: Range<Int>, into message: inout DissectedMessage) {
        fingerprint.hasServerName = true
        guard bytes.byte(at: data.lowerBound + 2) == 0,
            let length = bytes.number(at: data.lowerBound + 3, UInt16.self)
        else { return }
        let name = (data.lowerBound + 5)..<(data.lowerBound + 5 + Int(length))
        guard name.upperBound <= data.upperBound else { return }
        let text = bytes.repairedText(name)
        serverName = serverName ?? text
        message.add(TLSFields.serverName, name, hello, .text(text))
    }

    /// Source: RFC 7301 section 3.1.
    private mutating func readProtocols(_ bytes: RawSpan, _ data: Range<Int>, into message: inout DissectedMessage) {
        var index = data.lowerBound + 2
        while index < data.upperBound, let length = bytes.byte(at: index), length > 0 {
            let name = (index + 1)..<(index + 1 + Int(length))
            guard name.upperBound <= data.upperBound else { return }
            let text = bytes.repairedText(name)
            if protocols.isEmpty { fingerprint.firstProtocol = bytes.bytes(name) }
            if protocols.count < 16 { protocols.append(text) }
            protocolNames.append(bytes.bytes(name))
            message.add(TLSFields.protocolName, name, hello, .text(text))
            index = name.upperBound
        }
    }

    /// Source: RFC 8446 section 4.2.1.
    private mutating func readVersions(_ bytes: RawSpan, _ data: Range<Int>, into message: inout DissectedMessage) {
        var index = data.lowerBound + (isClient ? 1 : 0)
        while index + 2 <= data.upperBound, let number = bytes.number(at: index, UInt16.self) {
            message.add(TLSFields.supportedVersion, index..<(index + 2), hello, .number(UInt64(number)))
            if !JA4.isGrease(number) {
                fingerprint.versions.append(number)
                version = isClient ? max(version, number) : number
            }
            index += 2
        }
    }
}

extension DissectedMessage {
    /// Adds a field with a range in a handshake message.
    mutating func add(
        _ name: FieldName,
        _ range: Range<Int>,
        _ handshake: HandshakeMessage,
        _ value: @autoclosure () -> FieldValue
    ) {
        guard wantsFields || name.finding != nil else { return }
        let place = handshake.place(of: range)
        add(name, (place.lowerBound &- base)..<(place.upperBound &- base), value())
    }
}
