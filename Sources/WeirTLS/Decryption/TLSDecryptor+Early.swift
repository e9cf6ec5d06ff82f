import WeirDissect
import WeirWire

// What a client of TLS 1.3 sends before the server's answer.
extension TLSDecryptor {
    /// The suites of TLS 1.3.
    private static var suites: [UInt16] { [0x1301, 0x1302, 0x1303, 0x1304, 0x1305] }

    /// Prepares to decrypt early data, which is before the server tells the suite: one of those with the secret's length.
    mutating func beginEarly(_ hello: Hello, _ secrets: KeyLog.Secrets, _ client: Int) {
        guard hello.hasEarlyData, let secret = secrets.clientEarly else { return }
        sides[client].early = Self.suites.compactMap { CipherSuite($0) }.filter { $0.hash.length == secret.count }
            .compactMap { RecordCipher($0, secret: secret) }
    }

    /// Reads a record of early data; returns false if it is none.
    mutating func openEarly(
        _ record: RawSpan,
        _ header: RecordHeader,
        _ side: Int,
        at time: Int64?,
        _ receiver: Receiver
    ) -> Bool {
        guard header.type == 23 else { return false }
        return withUnsafeTemporaryAllocation(byteCount: record.byteCount + 64, alignment: 16) { room in
            for cipher in sides[side].early {
                var cipher = cipher
                guard let opened = record.withUnsafeBytes({ cipher.open($0, header, into: room) }) else { continue }
                // Behind EndOfEarlyData follows the handshake. Source: RFC 8446 section 4.5.
                sides[side].early = opened.type == 22 ? [] : [cipher]
                guard opened.type == 23, !opened.range.isEmpty else { return true }
                connection?.hasContent = true
                if let hello = connection?.hello { decryption.note(decrypted: hello.random) }
                let content = UnsafeRawBufferPointer(rebasing: room[opened.range])
                give(content.bytes, side, .decrypted, at: time, receiver)
                return true
            }
            sides[side].early = []
            return false
        }
    }
}
