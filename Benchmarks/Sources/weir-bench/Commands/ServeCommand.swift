import ArgumentParser
import CWeirBench
import FoundationEssentials
import Glibc

/// The server behind the relays; weir-bench starts it as a child of its own.
struct ServeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Serve a measurement until standard input ends.",
        shouldDisplay: false
    )

    @Argument(help: "sink, echo, once, datagrams, silent, secured-sink, secured-echo or secured-once.")
    var kind: ServerKind

    @Option(help: "Threads.")
    var threads = 1

    @Flag(help: "Keep the queues of the sockets small, for many flows.")
    var smallQueues = false

    @Flag(help: "Let the relay have the processor first.")
    var yieldsPriority = false

    /// What it prints when it serves.
    struct Answer: Codable {
        /// The port on 127.0.0.1.
        var port: UInt16
    }

    func run() throws {
        try DescriptorLimit.raise()
        if yieldsPriority { weir_bench_yield_priority() }
        let sockets = try listeners()
        for socket in sockets.numbers {
            let work = try makeWorker(socket)
            _ = try WorkerThread {
                do {
                    try work()
                } catch {
                    Diagnostics.say("weir-bench serve: \(error)")
                    _exit(70)
                }
            }
        }
        let answer = try JSONEncoder().encode(Answer(port: sockets.port))
        Diagnostics.answer(String(decoding: answer, as: UTF8.self))
        waitForEndOfInput()
    }

    /// Makes one UDP socket for each thread on a shared port, or one TCP listener for all of them.
    private func listeners() throws(BenchError) -> (port: UInt16, numbers: [Int32]) {
        let count = max(1, threads)
        guard kind.transport == .udp else {
            let listener = try Socket.listen()
            let port = try Socket.port(of: listener)
            return (port, Array(repeating: listener.release(), count: count))
        }
        let first = try Socket.bindUDP(sharedPort: count > 1)
        let port = try Socket.port(of: first)
        var numbers = [first.release()]
        while numbers.count < count { numbers.append(try Socket.bindUDP(port: port, sharedPort: true).release()) }
        return (port, numbers)
    }

    private func makeWorker(_ socket: Int32) throws(BenchError) -> @Sendable () throws -> Void {
        if kind.transport == .udp {
            let server = try DatagramServer(socket: socket, echoes: kind == .datagrams)
            return { try server.run() }
        }
        if kind.isSecured {
            let server = try SecuredServer(kind: kind, listener: socket)
            return { try server.run() }
        }
        let server = try StreamServer(kind: kind, listener: socket, smallQueues: smallQueues)
        return { try server.run() }
    }

    /// Returns when weir-bench closes its end, or is gone: a server never outlives its measurement.
    private func waitForEndOfInput() {
        var byte: UInt8 = 0
        while true {
            let count = read(STDIN_FILENO, &byte, 1)
            if count == 0 || (count < 0 && errno != EINTR) { return }
        }
    }
}

extension ServerKind: ExpressibleByArgument {}
