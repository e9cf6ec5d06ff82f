/// HAProxy in TCP mode.
struct HAProxyPeer: Peer {
    let name = "haproxy"
    let versionArguments = ["-v"]

    func refusal(transport: Socket.Transport, flows: Int) -> String? {
        transport == .udp ? "haproxy relays no UDP" : nil
    }

    func launch(program: String, port: UInt16, request: RelayRequest) throws(BenchError) -> Launch {
        let path = "\(request.folder)/haproxy.cfg"
        if request.isSecured { try request.writeCertificates() }
        try TextFile.write(configuration(port: port, request: request), to: path)
        // -db keeps it in the foreground.
        return Launch(program: program, arguments: ["-db", "-f", path], errors: request.errorPath)
    }

    /// Makes the configuration: buffers of 64 KiB, no log, timeouts that no measurement meets.
    func configuration(port: UInt16, request: RelayRequest) -> String {
        let (bind, server) =
            request.isSecured
            ? (" ssl crt \(request.certificatePath) no-tls-tickets", " ssl verify none no-ssl-reuse no-tls-tickets")
            : ("", "")
        let patience = request.isSecured ? 60 : 5
        return """
            global
                nbthread \(request.workers)
                maxconn \(max(2000, request.flows + 500))
                tune.bufsize 65536\(request.isSecured ? "\n    tune.ssl.cachesize 0" : "")
            defaults
                mode tcp
                timeout connect \(patience)s
                timeout client 120s
                timeout server 120s
            listen bench
                bind 127.0.0.1:\(port) backlog 4096\(bind)
                server one 127.0.0.1:\(request.serverPort)\(server)
            \(request.plain.map(section) ?? "")
            """
    }

    private func section(_ plain: PlainRoute) -> String {
        """
        listen beside
            bind 127.0.0.1:\(plain.port) backlog 4096
            server two 127.0.0.1:\(plain.serverPort)

        """
    }
}
