/// sslsplit, which signs certificates like the server's own.
struct SSLSplitPeer: Peer {
    let name = "sslsplit"
    let versionArguments = ["-V"]

    func refusal(transport: Socket.Transport, flows: Int) -> String? {
        transport == .udp ? "sslsplit relays no UDP" : nil
    }

    func launch(program: String, port: UInt16, request: RelayRequest) throws(BenchError) -> Launch {
        try request.writeCertificates()
        let route = ["127.0.0.1", "\(port)", "127.0.0.1", "\(request.serverPort)"]
        // -K: a P-256 key for what it signs, where it would make one of RSA; -Z: no compression.
        let keys = ["-c", request.authorityPath, "-k", request.authorityPath, "-K", request.certificatePath, "-Z"]
        let arguments = request.isSecured ? keys + ["ssl"] + route : ["tcp"] + route
        return Launch(program: program, arguments: arguments, errors: request.errorPath)
    }
}
