/// The secrets of TLS connections, found by the random bytes in their clients' hellos.
///
/// Lines have the form `LABEL CLIENT_RANDOM SECRET`, the last two in hexadecimal digits. Empty lines and those that begin with
/// `#` mean nothing; labels that decrypt no stream are passed over.
///
/// Source: draft-ietf-tls-keylogfile-02 (NSS Key Log Format).
package struct KeyLog: Sendable {
    /// The secrets of one connection; nil for those that the log lacks.
    package struct Secrets: Hashable, Sendable {
        /// The master secret, of TLS 1.2 and before.
        package var master: [UInt8]?
        /// The secret of what the client of TLS 1.3 sends before the server's answer.
        package var clientEarly: [UInt8]?
        /// The secrets of the handshake of TLS 1.3, and the first ones of its content.
        package var clientHandshake: [UInt8]?
        package var serverHandshake: [UInt8]?
        package var client: [UInt8]?
        package var server: [UInt8]?
    }

    /// The report on the lines of a text.
    package struct Report: Hashable, Sendable {
        /// The number of lines with a secret.
        package var secrets = 0
        /// The number of lines that are none of the format.
        package var badLines = 0
        /// The number of the first of them, from 1.
        package var firstBadLine: Int?
    }

    private var connections: [[UInt8]: Secrets] = [:]

    /// Creates a log without secrets.
    package init() {}

    /// Whether there are no secrets.
    package var isEmpty: Bool { connections.isEmpty }

    /// Returns the secrets of a connection; nil if there are none.
    ///
    /// - Parameter random: The 32 random bytes of the client's hello.
    package subscript(random: [UInt8]) -> Secrets? { connections[random] }

    /// Adds the lines of a text.
    ///
    /// - Returns: The report on the lines.
    @discardableResult
    package mutating func add(_ text: [UInt8]) -> Report {
        var report = Report()
        var number = 0
        for line in text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            number += 1
            let fields = line.split { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }
            guard let label = fields.first, label.first != UInt8(ascii: "#") else { continue }
            // RSA lines are by the encrypted premaster secret or by the session.
            if label.elementsEqual("RSA".utf8) { continue }
            guard fields.count == 3, let random = Self.bytes(fields[1]), random.count == 32,
                let secret = Self.bytes(fields[2]), (1...64).contains(secret.count)
            else {
                report.badLines += 1
                if report.firstBadLine == nil { report.firstBadLine = number }
                continue
            }
            report.secrets += 1
            guard let place = Self.place(of: label) else { continue }
            connections[random, default: Secrets()][keyPath: place] = secret
        }
        return report
    }

    private static func place(of label: ArraySlice<UInt8>) -> WritableKeyPath<Secrets, [UInt8]?>? {
        switch String(decoding: label, as: UTF8.self) {
        case "CLIENT_RANDOM": \.master
        case "CLIENT_EARLY_TRAFFIC_SECRET": \.clientEarly
        case "CLIENT_HANDSHAKE_TRAFFIC_SECRET": \.clientHandshake
        case "SERVER_HANDSHAKE_TRAFFIC_SECRET": \.serverHandshake
        case "CLIENT_TRAFFIC_SECRET_0": \.client
        case "SERVER_TRAFFIC_SECRET_0": \.server
        default: nil
        }
    }

    /// Reads hexadecimal digits, two for each byte; nil if they are none.
    private static func bytes(_ digits: ArraySlice<UInt8>) -> [UInt8]? {
        guard digits.count.isMultiple(of: 2) else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(digits.count / 2)
        var high: UInt8?
        for digit in digits {
            let value: UInt8
            switch digit {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = digit - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): value = digit - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): value = digit - UInt8(ascii: "A") + 10
            default: return nil
            }
            if let first = high {
                bytes.append(first << 4 | value)
                high = nil
            } else {
                high = value
            }
        }
        return bytes
    }
}
