import Glibc
import Synchronization

/// Answers calls as the control API of a relay with one route would, with ready answers, so that calling it costs the
/// caller the same.
final class AdminStandIn: Sendable {
    /// Lists the paths and how long the answers of a relay with one route and one flow are, in bytes.
    static let answers = [("/metrics", 6500), ("/proxies", 140), ("/v1/flows", 560), ("/v1/health", 190)]

    /// Where it listens, on 127.0.0.1.
    let port: UInt16
    private let listener: Descriptor
    private let isStopped = Atomic<Bool>(false)

    /// Listens.
    init() throws(BenchError) {
        listener = try Socket.listen()
        port = try Socket.port(of: listener)
        // Of the threads that see a connection, one takes it.
        try Socket.makeNonblocking(listener.number)
    }

    func stop() { isStopped.store(true, ordering: .relaxed) }

    /// Answers one connection after the other until it is stopped; several threads may, each its own.
    func run() {
        let answers = Self.answers.map { path, length in
            (
                request: Array("GET \(path) ".utf8),
                answer: Array("HTTP/1.1 200 OK\r\ncontent-length: \(length)\r\n\r\n".utf8)
                    + [UInt8](repeating: UInt8(ascii: "x"), count: length)
            )
        }
        while !isStopped.load(ordering: .relaxed) {
            guard isReadable(listener.number) else { continue }
            let connection = Descriptor(accept(listener.number, nil, nil))
            guard connection.number >= 0 else { continue }
            serve(connection, answers)
        }
    }

    private func serve(_ connection: borrowing Descriptor, _ answers: [(request: [UInt8], answer: [UInt8])]) {
        var request = [UInt8](repeating: 0, count: 4096)
        while !isStopped.load(ordering: .relaxed) {
            guard isReadable(connection.number) else { continue }
            let count = recv(connection.number, &request, request.count, 0)
            guard count > 0 else { return }
            guard let answer = answers.first(where: { request.starts(with: $0.request) })?.answer,
                send(connection.number, answer, answer.count, Int32(MSG_NOSIGNAL)) == answer.count
            else { return }
        }
    }

    private func isReadable(_ number: Int32) -> Bool {
        var polled = pollfd(fd: number, events: Int16(POLLIN), revents: 0)
        return poll(&polled, 1, 100) > 0
    }
}
