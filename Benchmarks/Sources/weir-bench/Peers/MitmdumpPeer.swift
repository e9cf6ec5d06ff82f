/// mitmdump as a reverse proxy for raw TCP and UDP, and for TLS.
struct MitmdumpPeer: Peer {
    let name = "mitmdump"
    /// Python, its imports and a certificate of its own take their time.
    let patienceSeconds = 30.0

    func refusal(transport: Socket.Transport, flows: Int) -> String? {
        flows > 100 ? "mitmdump keeps every flow's messages: not run with \(flows) flows" : nil
    }

    func launch(program: String, port: UInt16, request: RelayRequest) throws(BenchError) -> Launch {
        if request.isSecured { try request.writeCertificates() }
        let layer = request.isSecured ? "tls" : request.transport.rawValue
        let target = "reverse:\(layer)://127.0.0.1:\(request.serverPort)"
        var arguments = [
            "-q", "--mode", "\(target)@127.0.0.1:\(port)", "--set", "flow_detail=0",
            "--set", "confdir=\(request.folder)",
        ]
        if request.isSecured {
            arguments += ["--set", "ssl_insecure=true", "--set", "certs=*=\(request.certificatePath)"]
        }
        return Launch(program: program, arguments: arguments, errors: request.errorPath)
    }
}
