import FoundationEssentials
import Glibc

/// A relay that is listening now.
struct RunningRelay: Sendable {
    /// Its processes.
    let group: ProcessGroup
    /// The port that it listens on.
    let port: UInt16
    /// The port of the plain route beside it; 0 without one.
    var plainPort: UInt16 = 0
    /// The files that its watching goes to.
    let request: RelayRequest
}

extension Bench {
    /// Puts one load on a subject: starts the server, then the relay, then the load, and ends all of them.
    ///
    /// - Parameters:
    ///   - load: The load; its port and its process groups are filled in here.
    ///   - kind: The server behind the relay.
    ///   - subject: What stands between them.
    ///   - afterwards: Called while the relay still runs, with what the load reported.
    /// - Returns: What the load reported, or what `afterwards` made of it.
    /// - Throws: `BenchError`, with the last words of the relay where it said something.
    func measure(
        _ load: LoadSettings,
        server kind: ServerKind,
        through subject: Subject,
        afterwards: @Sendable (RunningRelay, LoadReport) async throws -> LoadReport = { $1 }
    ) async throws -> LoadReport {
        try check(subject, transport: kind.transport, flows: load.connections)
        let smallQueues = load.kind == .stream && load.connections >= Agreed.manyFlows
        return try await withServer(kind, smallQueues: smallQueues) { server, port in
            var load = load
            load.server = server.identifier
            guard let peer = subject.peer else {
                load.port = port
                return try await report(of: load, under: subject.run)
            }
            let request = RelayRequest(
                transport: kind.transport,
                serverPort: port,
                workers: settings.workers,
                flows: load.connections,
                watching: subject.watching,
                folder: try folder.subfolder().path,
                isSecured: kind.isSecured
            )
            defer { try? FileManager.default.removeItem(atPath: request.folder) }
            return try await withRelay(peer, request) { [load] relay in
                var load = load
                load.port = relay.port
                load.relay = relay.group.identifier
                return try await afterwards(relay, report(of: load))
            }
        }
    }

    /// Throws when a subject is not here, or cannot do this.
    func check(_ subject: Subject, transport: Socket.Transport, flows: Int) throws(BenchError) {
        if let run = subject.run, programs.find(run.program) == nil { throw .absent(program: run.program) }
        guard let peer = subject.peer else { return }
        guard programs.find(peer.program) != nil else { throw .absent(program: peer.program) }
        if let reason = peer.refusal(transport: transport, flows: flows) { throw .refused(reason) }
    }

    /// Starts a server, and ends it after the body, which gets its port.
    func withServer<Result: Sendable>(
        _ kind: ServerKind,
        smallQueues: Bool = false,
        yieldsPriority: Bool = false,
        body: @Sendable (ProcessGroup, UInt16) async throws -> Result
    ) async throws -> Result {
        var arguments = ["serve", kind.rawValue, "--threads", "\(settings.loadThreads)"]
        if smallQueues { arguments.append("--small-queues") }
        if yieldsPriority { arguments.append("--yields-priority") }
        return try await Child.serving(Launch(program: ownPath, arguments: arguments)) { group, line in
            let answer = try JSONDecoder().decode(ServeCommand.Answer.self, from: Data(line.utf8))
            return try await body(group, answer.port)
        }
    }

    /// Starts a relay, waits until it listens, and ends it after the body.
    func withRelay<Result: Sendable>(
        _ peer: any Peer,
        _ request: RelayRequest,
        body: @Sendable (RunningRelay) async throws -> Result
    ) async throws -> Result {
        guard let program = programs.find(peer.program) else {
            throw BenchError.absent(program: peer.program)
        }
        let port = peer.choosesPort ? 0 : try FreePort.find(request.transport)
        let launch = try peer.launch(program: program, port: port, request: request)
        return try await Child.with(launch) { group in
            let readiness = Readiness(peer: peer, request: request, group: group, launch: launch)
            let ports = try await readiness.wait(port: port)
            let plainPort = ports.count > 1 ? ports[1] : 0
            if request.isSecured { try await readiness.settle() }
            do {
                return try await body(
                    RunningRelay(group: group, port: ports[0], plainPort: plainPort, request: request)
                )
            } catch let error as BenchError {
                // The relay's own last words explain more than a broken connection does.
                let words = readiness.complaint().map { "; \(peer.name) says: \($0)" } ?? ""
                throw BenchError.load("\(error)\(words)")
            }
        }
    }

    /// Puts a load on the port that it names, and returns what it reported.
    func report(of load: LoadSettings, under run: WeirRun? = nil) async throws -> LoadReport {
        var load = load
        load.isWatched = run != nil
        var launch = Launch(program: ownPath, arguments: load.arguments)
        if let run {
            guard let program = programs.find(run.program) else { throw BenchError.absent(program: run.program) }
            launch = run.launch(program, launch)
        }
        let line = try await Child.output(of: launch)
        do {
            return try JSONDecoder().decode(LoadReport.self, from: Data(line.utf8))
        } catch {
            throw BenchError.child(program: "weir-bench load", reason: "cannot read its answer: \(error)")
        }
    }
}
