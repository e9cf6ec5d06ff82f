import Glibc
import Synchronization

/// Calls the control API at a pace until it is stopped.
final class AdminCaller: Sendable {
    private static let paths = AdminStandIn.answers.map(\.0)

    private let port: UInt16
    private let pause: Double
    private let isStopped = Atomic<Bool>(false)
    private let calls = Atomic<Int>(0)
    private let began = Atomic<UInt64>(0)

    init(port: UInt16, callsPerSecond: Int) {
        self.port = port
        pause = 1e9 / Double(callsPerSecond)
    }

    /// Counts the calls that were answered.
    var answered: Int { calls.load(ordering: .relaxed) }

    /// Says how many calls were answered in a second.
    var rate: Double {
        let start = began.load(ordering: .relaxed)
        guard start > 0 else { return 0 }
        return Double(calls.load(ordering: .relaxed)) / Clock.seconds(from: start, to: Clock.nanoseconds())
    }

    func stop() { isStopped.store(true, ordering: .relaxed) }

    /// Waits for the API, and calls it.
    func run() {
        while !isStopped.load(ordering: .relaxed) {
            guard let socket = try? Socket.connect(port: port) else {
                usleep(20_000)
                continue
            }
            if began.load(ordering: .relaxed) == 0 { began.store(Clock.nanoseconds(), ordering: .relaxed) }
            call(socket)
        }
    }

    private func call(_ socket: borrowing Descriptor) {
        let start = Clock.nanoseconds()
        var count = 0
        while !isStopped.load(ordering: .relaxed) {
            let request = "GET \(Self.paths[count % Self.paths.count]) HTTP/1.1\r\nHost: localhost\r\n\r\n"
            guard exchange(Array(request.utf8), socket.number) else { return }
            count += 1
            calls.add(1, ordering: .relaxed)
            let due = Double(start) + Double(count) * pause
            let left = due - Double(Clock.nanoseconds())
            if left > 0 { usleep(UInt32(left / 1000)) }
        }
    }

    /// Sends a request, and reads the whole answer.
    private func exchange(_ request: [UInt8], _ number: Int32) -> Bool {
        guard send(number, request, request.count, Int32(MSG_NOSIGNAL)) == request.count else { return false }
        var answer: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = recv(number, &part, part.count, 0)
            guard count > 0 else { return false }
            answer += part.prefix(count)
            guard let end = answer.firstRange(of: Array("\r\n\r\n".utf8)) else { continue }
            let head = String(decoding: answer[..<end.lowerBound], as: UTF8.self).lowercased()
            guard let field = head.firstRange(of: "content-length: "),
                let length = Int(head[field.upperBound...].prefix { $0.isNumber })
            else { return false }
            if answer.count >= end.upperBound + length { return true }
        }
    }
}
