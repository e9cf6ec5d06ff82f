/// HAProxy in TCP mode.
struct HAProxyPeer: Peer {
    let name = "haproxy"
    let versionArguments = ["-v"]

    func refusal(transport: Socket.Transport, flows: Int) -> String? {
        transport == .udp ? "haproxy relays no UDP" : nil
    }

    func launch(program: String, port: UInt16, request: RelayRequest) throws(BenchError) -> Launch {
        let path = "\(request.folder)/haproxy.cfg"
        try TextFile.write(configuration(port: port, request: request), to: path)
        // -db keeps it in the foreground.
        return Launch(program: program, arguments: ["-db", "-f", path], errors: request.errorPath)
    }

    /// Makes the configuration: buffers of 64 KiB, no log, timeouts that no measurement meets.
    func configuration(port: UInt16, request: RelayRequest) -> String {
        """
        global
            nbthread \(request.workers)
            maxconn \(max(2000, request.flows + 500))
            tune.bufsize 65536
        defaults
            mode tcp
            timeout connect 5s
            timeout client 120s
            timeout server 120s
        listen bench
            bind 127.0.0.1:\(port) backlog 4096
            server one 127.0.0.1:\(request.serverPort)

        """
    }
}
