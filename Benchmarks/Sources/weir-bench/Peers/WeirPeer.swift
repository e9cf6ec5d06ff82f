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
        if request.isSecured {
            arguments += ["--tls-ca", "\(request.folder)/ca", "--tls-insecure-upstream", "--connect-timeout", "60s"]
        }
        let layer = request.isSecured ? "tls" : request.transport.rawValue
        arguments.append("\(layer):\(port)=127.0.0.1:\(request.serverPort)")
        if let plain = request.plain { arguments.append("tcp:\(plain.port)=127.0.0.1:\(plain.serverPort)") }
        return Launch(
            program: program,
            arguments: arguments,
            output: request.outputPath,
            errors: request.errorPath
        )
    }

    /// Finds the ports in lines such as `listening tcp 127.0.0.1:9000 -> 127.0.0.1:65432`, in the order of the routes; of TCP also those
    /// of `listening tls`.
    static func announcedPorts(in text: String, transport: Socket.Transport) -> [UInt16] {
        let layers = transport == .udp ? ["udp"] : ["tcp", "tls"]
        return text.split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ")
            guard words.count >= 5, words[0] == "listening", layers.contains(String(words[1])), words[3] == "->",
                words[2].hasPrefix("127.0.0.1:")
            else { return nil }
            return UInt16(words[2].dropFirst("127.0.0.1:".count))
        }
    }
}
