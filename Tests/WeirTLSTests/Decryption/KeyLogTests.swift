import Testing

@testable import WeirTLS

@Suite("Key logs")
struct KeyLogTests {
    private static let random = String(repeating: "0a", count: 32)
    private static let secret = String(repeating: "1b", count: 48)

    @Test("Secrets of all labels are found by their connection; others are passed over")
    func labels() {
        var log = KeyLog()
        #expect(log.isEmpty)
        let labels = [
            "CLIENT_RANDOM", "CLIENT_HANDSHAKE_TRAFFIC_SECRET", "SERVER_HANDSHAKE_TRAFFIC_SECRET",
            "CLIENT_TRAFFIC_SECRET_0", "SERVER_TRAFFIC_SECRET_0", "CLIENT_EARLY_TRAFFIC_SECRET", "EXPORTER_SECRET",
        ]
        var text = "# a comment\r\n\r\n"
        for (number, label) in labels.enumerated() {
            text += "\(label) \(Self.random.uppercased()) 0\(number)\(Self.secret)\r\n"
        }
        let report = log.add(Array(text.utf8))
        #expect(report == KeyLog.Report(secrets: 7, badLines: 0, firstBadLine: nil))
        let found = log[[UInt8](repeating: 0x0a, count: 32)]
        let all = [
            found?.master, found?.clientHandshake, found?.serverHandshake, found?.client, found?.server,
            found?.clientEarly,
        ]
        #expect(all.map { $0?.first } == [0, 1, 2, 3, 4, 5] && all.allSatisfy { $0?.count == 49 })
        #expect(log[[UInt8](repeating: 0x0b, count: 32)] == nil && !log.isEmpty)
    }

    @Test("Lines that are none of the format are counted, and change nothing")
    func badLines() {
        var log = KeyLog()
        let good = "CLIENT_RANDOM \(Self.random) \(Self.secret)"
        for bad in [
            "CLIENT_RANDOM", "CLIENT_RANDOM \(Self.random)", "\(good) 00",
            "CLIENT_RANDOM \(Self.random)00 \(Self.secret)",
            "CLIENT_RANDOM \(Self.random) 0", "CLIENT_RANDOM \(Self.random) xy", "CLIENT_RANDOM \(Self.random) é",
            "CLIENT_RANDOM \(Self.random) \(Self.secret)\(Self.secret)",
        ] {
            let report = log.add(Array("\n\(bad)".utf8))
            #expect(report == KeyLog.Report(secrets: 0, badLines: 1, firstBadLine: 2), "\(bad)")
        }
        #expect(log.isEmpty)
        // The last line needs no end, and lines of RSA are by something else.
        let report = log.add(Array("RSA 0011 2233\n\(good)".utf8))
        #expect(report == KeyLog.Report(secrets: 1, badLines: 0, firstBadLine: nil))
        #expect(log[[UInt8](repeating: 0x0a, count: 32)]?.master == [UInt8](repeating: 0x1b, count: 48))
    }
}
