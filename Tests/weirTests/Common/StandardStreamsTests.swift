import Foundation
import Support
import Testing
import WeirWire

@Suite("Standard streams", .tags(.network), .timeLimit(.minutes(1)))
struct StandardStreamsTests {
    @Test(
        "Those that are closed from the start lead to nothing, so that no file or socket takes their places",
        arguments: [[0], [1], [2], [0, 1], [0, 2], [1, 2], [0, 1, 2]]
    )
    func fillsGaps(closed: [Int]) throws {
        let endpoint = Endpoint(address: .loopbackV4, port: try LoopbackPort.free())
        let closing = closed.map { " \($0)>&-" }.joined()
        let program = try WeirProgram(
            ["relay", "--show", "none", "--no-processes", "--threads", "1", "tcp:\(endpoint.port)=127.0.0.1:9"],
            launcher: ["sh", "-c", "exec \"$0\" \"$@\"\(closing)"]
        )
        // It may have nowhere to tell that it listens.
        let deadline = Deadline()
        while (try? TCPPeer(to: endpoint)) == nil, !deadline.isOver {}
        let places = try (0...2).map { number in
            try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(program.identifier)/fd/\(number)")
        }
        for (number, place) in places.enumerated() {
            #expect((place == "/dev/null") == closed.contains(number), "\(places)")
        }
    }
}
