/// nginx with its stream module, TCP and UDP.
struct NginxPeer: Peer {
    let name = "nginx"
    let versionArguments = ["-v"]

    /// Where Debian, Fedora and nginx.org put the module; a build that has it inside needs none of them.
    private static let modules = ["/usr/lib/nginx/modules", "/usr/lib64/nginx/modules", "/etc/nginx/modules"]
        .map { "\($0)/ngx_stream_module.so" }

    func launch(program: String, port: UInt16, request: RelayRequest) throws(BenchError) -> Launch {
        let path = "\(request.folder)/nginx.conf"
        if request.isSecured { try request.writeCertificates() }
        let module = Self.modules.first { TextFile.size($0) > 0 }
        try TextFile.write(configuration(port: port, request: request, module: module), to: path)
        let arguments = ["-p", request.folder, "-e", "stderr", "-c", path]
        return Launch(program: program, arguments: arguments, errors: request.errorPath)
    }

    /// Makes the configuration: one worker, buffers of 64 KiB, no access log, half-closed connections kept as the
    /// other relays keep them, UDP sessions that live on.
    func configuration(port: UInt16, request: RelayRequest, module: String?) -> String {
        let isUDP = request.transport == .udp
        let udp = isUDP ? " udp" : " backlog=4096"
        // Without reuseport, datagrams of one session would reach different workers.
        let shared = request.workers > 1 ? " reuseport" : ""
        let halfClose = isUDP ? "" : "proxy_half_close on;"
        let patience = request.isSecured ? 60 : 5
        return """
            \(module.map { "load_module \($0);" } ?? "")
            daemon off;
            pid \(request.folder)/nginx.pid;
            error_log stderr error;
            worker_processes \(request.workers);
            worker_rlimit_nofile 20000;
            events {
                worker_connections \(max(4096, request.flows * 2 + 1000));
            }
            stream {
                access_log off;
                proxy_buffer_size 64k;
                proxy_connect_timeout \(patience)s;
                proxy_timeout 120s;
                \(halfClose)
                server {
                    listen 127.0.0.1:\(port)\(udp)\(shared)\(request.isSecured ? " ssl" : "");
                    proxy_pass 127.0.0.1:\(request.serverPort);
                    \(request.isSecured ? security(request) : "")
                }
                \(request.plain.map(server) ?? "")
            }

            """
    }

    /// Both legs in TLS 1.3, which this nginx does not speak to servers by itself; nothing is resumed.
    private func security(_ request: RelayRequest) -> String {
        """
        ssl_certificate \(request.certificatePath);
        ssl_certificate_key \(request.certificatePath);
        ssl_protocols TLSv1.3;
        ssl_session_tickets off;
        ssl_session_cache off;
        proxy_ssl on;
        proxy_ssl_protocols TLSv1.3;
        proxy_ssl_session_reuse off;
        """
    }

    private func server(_ plain: PlainRoute) -> String {
        "server { listen 127.0.0.1:\(plain.port) backlog=4096; proxy_pass 127.0.0.1:\(plain.serverPort); }"
    }
}
