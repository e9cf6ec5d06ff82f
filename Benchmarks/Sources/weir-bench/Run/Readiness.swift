import Glibc

/// Waits until a relay that was just started listens.
struct Readiness: Sendable {
    let peer: any Peer
    let request: RelayRequest
    let group: ProcessGroup
    let launch: Launch

    /// Waits, and returns the ports that the relay listens on: of its route, and of the plain one beside it, if there is one.
    ///
    /// - Throws: `BenchError.peer` when the relay ends, or does not listen in time, with the last line it printed.
    func wait(port: UInt16) async throws -> [UInt16] {
        let deadline = Clock.nanoseconds() + Clock.nanoseconds(ofSeconds: peer.patienceSeconds)
        while Clock.nanoseconds() < deadline {
            if let found = listeningPorts(port) { return found }
            let leader = TextFile.read("/proc/\(group.identifier)/stat").flatMap { ProcessStatus(parsing: $0) }
            guard let leader, leader.state != "Z" else {
                throw BenchError.peer(name: peer.name, reason: "ended at once: \(complaint() ?? "it said nothing")")
            }
            try await Task.sleep(for: .milliseconds(10))
        }
        let words = complaint() ?? "it said nothing"
        throw BenchError.peer(name: peer.name, reason: "did not listen within \(Int(peer.patienceSeconds)) s: \(words)")
    }

    /// Waits until the relay has done what it does once, as making keys; at most 5 s.
    func settle() async throws {
        var before = group.processorSeconds()
        for _ in 0..<25 {
            try await Task.sleep(for: .milliseconds(200))
            let now = group.processorSeconds()
            if now == before { return }
            before = now
        }
    }

    /// Returns the last line that the relay printed on standard error, if it is more than that it listens.
    func complaint() -> String? {
        guard TextFile.size(launch.errors) < 1 << 20 else { return nil }
        guard let line = TextFile.read(launch.errors).flatMap(Child.lastLine(of:)) else { return nil }
        return line.hasPrefix("listening ") ? nil : line
    }

    private func listeningPorts(_ port: UInt16) -> [UInt16]? {
        let ports = [port] + (request.plain.map { [$0.port] } ?? [])
        if peer.choosesPort {
            let text = TextFile.read(launch.errors) ?? ""
            let announced = WeirPeer.announcedPorts(in: text, transport: request.transport)
            return announced.count == ports.count ? announced : nil
        }
        switch request.transport {
        case .tcp: return (try? Socket.connect(port: port)) == nil ? nil : ports
        case .udp: return FreePort.isBoundUDP(port, table: TextFile.read("/proc/net/udp") ?? "") ? ports : nil
        }
    }
}
