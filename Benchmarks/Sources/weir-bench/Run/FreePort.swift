import Glibc

/// Finds ports that nobody uses.
enum FreePort {
    /// Below the range from which Linux takes ephemeral ports (32768), so that no connection takes it meanwhile.
    private static let range: ClosedRange<UInt16> = 20000...31999

    /// Returns a port that could be bound just now.
    static func find(_ transport: Socket.Transport) throws(BenchError) -> UInt16 {
        for _ in 0..<200 {
            let port = UInt16.random(in: range)
            let isFree =
                switch transport {
                case .tcp: (try? Socket.listen(port: port)) != nil
                case .udp: (try? Socket.bindUDP(port: port)) != nil
                }
            if isFree { return port }
        }
        throw .load("no free \(transport.rawValue) port in \(range.lowerBound) to \(range.upperBound)")
    }

    /// Says whether the table of `/proc/net/udp` has a socket on a local port.
    static func isBoundUDP(_ port: UInt16, table: String) -> Bool {
        table.split(separator: "\n").dropFirst().contains { line in
            let fields = line.split(separator: " ")
            guard fields.count > 1, let colon = fields[1].lastIndex(of: ":") else { return false }
            return UInt16(fields[1][fields[1].index(after: colon)...], radix: 16) == port
        }
    }
}
