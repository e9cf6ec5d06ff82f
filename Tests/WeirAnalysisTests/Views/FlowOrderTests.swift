import Testing
import WeirAnalysis
import WeirWire

@Suite("Order of flows")
struct FlowOrderTests {
    @Test(
        "Puts first what one looks for",
        arguments: [
            (.flow, [1, 2, 3]), (.start, [2, 1, 3]), (.duration, [1, 2, 3]), (.took, [1, 2, 3]), (.packets, [1, 2, 3]),
            (.bytes, [3, 1, 2]),
            (.up, [3, 1, 2]), (.down, [1, 2, 3]), (.client, [3, 2, 1]), (.server, [1, 2, 3]), (.close, [3, 1, 2]),
        ] as [(FlowOrder, [Int])]
    )
    func sorts(_ order: FlowOrder, _ expected: [Int]) throws {
        var packets = Packets()
        try packets.add(.tcp, "10.0.0.9:5", "10.0.0.1:80", .syn, payload: 100, at: 500)
        try packets.add(.tcp, "10.0.0.1:80", "10.0.0.9:5", [.syn, .ack], payload: 100, at: 900)
        try packets.add(.tcp, "10.0.0.9:5", "10.0.0.1:80", .rst, at: 900)
        try packets.add(.tcp, "10.0.0.9:4", "10.0.0.1:80", .syn, payload: 100, at: 100)
        try packets.add(.tcp, "10.0.0.1:80", "10.0.0.9:4", [.syn, .ack], payload: 20, at: 110)
        try packets.add(.udp, "10.0.0.2:6", "10.0.0.7:53", payload: 9000, at: nil)
        var rows = packets.rows
        rows.reverse()
        order.sort(&rows)
        let found = rows.map(\.number)
        #expect(found == expected)
    }
}
