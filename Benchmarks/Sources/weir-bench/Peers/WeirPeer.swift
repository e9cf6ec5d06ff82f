/// Weir itself, or an earlier build of it.
struct WeirPeer: Peer {
    var name = "weir"
    let choosesPort = true

    func launch(program: String, port: UInt16, request: RelayRequest) throws(BenchError) -> Launch {
        var arguments = ["relay", "--threads", "\(request.workers)"]
        switch request.watching {
        case .nothing: arguments += ["--show", "none"]
        case .nobody: arguments += ["--show", "none", "--no-processes"]
        case .dump: arguments += ["--show", "hex", "--show-limit", "0"]
        case .record(let legs):
            arguments += ["--show", "none", "--record", RelayRequest.recordPath, "--record-legs", legs]
        case .toxics(let toxics):
            arguments += ["--show", "none", "--seed", "1", "--max-flows", "\(max(10_000, request.flows + 100))"]
            arguments += toxics.flatMap { ["--toxic", $0] }
        case .admin(let port): arguments += ["--show", "none", "--admin", "127.0.0.1:\(port)"]
        case .log: arguments += ["--show", "none", "--log", request.logPath]
        case .lines: arguments += ["--show", "summary"]
        case .chunks(let dissects):
            arguments += ["--show", "summary", dissects ? "--dissect" : "--no-dissect"]
        }
        arguments.append("\(request.transport.rawValue):\(port)=127.0.0.1:\(request.serverPort)")
        return Launch(
            program: program,
            arguments: arguments,
            output: request.outputPath,
            errors: request.errorPath
        )
    }

    /// Finds the port in a line such as `listening tcp 127.0.0.1:9000 -> 127.0.0.1:65432`.
    static func announcedPort(in text: String, transport: Socket.Transport) -> UInt16? {
        let start = "listening \(transport.rawValue) 127.0.0.1:"
        for line in text.split(separator: "\n") where line.hasPrefix(start) && line.contains(" -> ") {
            return UInt16(line.dropFirst(start.count).prefix { $0.isNumber })
        }
        return nil
    }
}
