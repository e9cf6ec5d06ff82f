/// socat with one process for each flow.
struct SocatPeer: Peer {
    let name = "socat"
    let versionArguments = ["-V"]

    func refusal(transport: Socket.Transport, flows: Int) -> String? {
        flows > 1000 ? "socat forks a process for each flow: not run with \(flows)" : nil
    }

    func launch(program: String, port: UInt16, request: RelayRequest) throws(BenchError) -> Launch {
        // -t 30: after one side's end the other has 30 s for its answer, in place of 0.5 s.
        var arguments = ["-b", "65536", "-t", "30"]
        if request.watching == .dump { arguments.append("-x") }
        switch request.transport {
        case .tcp:
            arguments += [
                "TCP4-LISTEN:\(port),bind=127.0.0.1,fork,reuseaddr,backlog=4096,nodelay",
                "TCP4:127.0.0.1:\(request.serverPort),nodelay",
            ]
        case .udp:
            arguments += [
                "UDP4-LISTEN:\(port),bind=127.0.0.1,fork,reuseaddr",
                "UDP4:127.0.0.1:\(request.serverPort)",
            ]
        }
        return Launch(program: program, arguments: arguments, errors: request.errorPath)
    }
}
