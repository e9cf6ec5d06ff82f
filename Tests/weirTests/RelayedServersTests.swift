import Foundation
import Glibc
import Support
import Testing

/// What the terminal shows of real servers and clients, line for line: `Captures/Servers`.
@Suite("Real servers through the relay", .serialized, .tags(.network), .timeLimit(.minutes(3)))
struct RelayedServersTests {
    /// Debian has a folder for each version; a message of another one can differ from the golden.
    private static let postgresql: String = {
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: "/usr/lib/postgresql")) ?? []
        let latest = versions.max { $0.compare($1, options: .numeric) == .orderedAscending }
        return "/usr/lib/postgresql/\(latest ?? "none")/bin"
    }()
    private static let folder =
        URL(fileURLWithPath: #filePath).appendingPathComponent("../../../Captures/Servers").standardizedFileURL.path

    private static let servers: [RelayedServer] = [
        RelayedServer(
            name: "redis",
            protocolName: "redis",
            command: [
                "/usr/bin/redis-server", "--port", "PORT", "--bind", "127.0.0.1", "--save", "", "--dir", "FOLDER",
            ],
            clients: [
                ["redis-cli", "-p", "PORT", "SET", "greeting", "hello"],
                ["redis-cli", "-p", "PORT", "GET", "greeting"],
                ["redis-cli", "-p", "PORT", "LPUSH", "list", "a", "b", "c"],
                ["redis-cli", "-p", "PORT", "LRANGE", "list", "0", "-1"], ["redis-cli", "-p", "PORT", "NOSUCH"],
                ["redis-cli", "-p", "PORT", "-3", "HGETALL", "nothing"],
            ]
        ),
        RelayedServer(
            name: "postgresql",
            protocolName: "postgresql",
            command: [
                "\(postgresql)/postgres", "-D", "FOLDER/data", "-p", "PORT", "-k", "FOLDER", "-c",
                "listen_addresses=127.0.0.1", "-c", "fsync=off",
            ],
            preparation: [["\(postgresql)/initdb", "-D", "FOLDER/data", "-A", "trust", "-U", "postgres", "--no-sync"]],
            clients: [
                [
                    "psql", "-X", "-h", "127.0.0.1", "-p", "PORT", "-U", "postgres", "-c",
                    "select 1 as id, null as name",
                    "-c", "select * from nowhere", "-c", "copy (select 'x') to stdout", "postgres",
                ]
            ],
            chunksVary: true,
            user: "postgres"
        ),
        RelayedServer(
            name: "mosquitto",
            protocolName: "mqtt",
            command: ["/usr/sbin/mosquitto", "-p", "PORT"],
            clients: [
                ["mosquitto_pub", "-p", "PORT", "-i", "talker", "-t", "a/b", "-m", "21.50", "-q", "1", "-r"],
                [
                    "mosquitto_pub", "-p", "PORT", "-i", "talker", "-V", "5", "-t", "a/b", "-m", "22", "-q", "1", "-u",
                    "me", "-P",
                    "pw",
                ],
                ["mosquitto_sub", "-p", "PORT", "-i", "listener", "-t", "a/#", "-q", "1", "-C", "1"],
            ],
            chunksVary: true
        ),
        RelayedServer(
            name: "sshd",
            protocolName: "ssh",
            command: [
                "/usr/sbin/sshd", "-D", "-f", "/dev/null", "-p", "PORT", "-h", "FOLDER/key", "-o",
                "ListenAddress=127.0.0.1", "-o", "PidFile=none",
            ],
            preparation: [
                ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "FOLDER/key"], ["mkdir", "-p", "/run/sshd"],
            ],
            clients: [["ssh-keyscan", "-p", "PORT", "-t", "ed25519", "127.0.0.1"]],
            chunksVary: true
        ),
        RelayedServer(
            name: "dnsmasq",
            protocolName: "dns",
            command: [
                "/usr/sbin/dnsmasq", "--keep-in-foreground", "--port=PORT", "--listen-address=127.0.0.1",
                "--bind-interfaces", "--no-resolv", "--no-hosts", "--conf-file=/dev/null", "--pid-file=FOLDER/pid",
                "--user=root", "--address=/weir.test/192.0.2.7", "--txt-record=text.test,hello",
                "--mx-host=weir.test,mail.weir.test,10",
            ],
            clients: [
                dig("weir.test", "A", "4660"), dig("weir.test", "MX", "4661", "+tcp"),
                dig("text.test", "TXT", "4662", "+tcp"),
                dig("no.such", "A", "4663", "+tcp"),
            ],
            hasDatagrams: true
        ),
        RelayedServer(
            name: "nginx",
            protocolName: "http",
            command: ["/usr/sbin/nginx", "-p", "FOLDER", "-c", "FOLDER/nginx.conf"],
            preparation: [["sh", "-c", nginxFiles]],
            clients: [
                ["curl", "-s", "--http1.1", "-A", "test", "http://127.0.0.1:PORT/index.html"],
                ["curl", "-s", "--http1.1", "-A", "test", "http://127.0.0.1:PORT/a", "http://127.0.0.1:PORT/nothing"],
                ["curl", "-s", "--http1.1", "-A", "test", "-d", "a=1&b=2", "http://127.0.0.1:PORT/post"],
            ]
        ),
        RelayedServer(
            name: "nginx-tls",
            protocolName: "tls",
            command: ["/usr/sbin/nginx", "-p", "FOLDER", "-c", "FOLDER/nginx-tls.conf"],
            preparation: [
                ["sh", "-c", nginxFiles],
                [
                    "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "FOLDER/key.pem", "-out",
                    "FOLDER/cert.pem", "-subj", "/CN=weir.test", "-addext", "subjectAltName=DNS:weir.test",
                ],
            ],
            clients: [
                [
                    "curl", "-sk", "--http1.1", "--tls-max", "1.2", "--resolve", "weir.test:PORT:127.0.0.1",
                    "https://weir.test:PORT/",
                ],
                ["curl", "-sk", "--http1.1", "--resolve", "weir.test:PORT:127.0.0.1", "https://weir.test:PORT/"],
            ],
            chunksVary: true
        ),
    ]

    private static func dig(_ name: String, _ type: String, _ number: String, _ options: String...) -> [String] {
        ["dig", "@127.0.0.1", "-p", "PORT", "+qid=\(number)", "+nocookie", "+tries=1"] + options + [name, type]
    }

    /// Makes the pages and the configurations.
    private static let nginxFiles = """
        cd FOLDER; mkdir -p html logs; chmod 755 .; echo hello >html/index.html; echo a >html/a
        for kind in '' -tls; do
            cat >nginx$kind.conf <<END
        daemon off; master_process off; pid nginx.pid; error_log stderr;
        events {}
        http {
            access_log off; server_tokens off; etag off; client_body_temp_path t1; proxy_temp_path t2;
            fastcgi_temp_path t3; uwsgi_temp_path t4; scgi_temp_path t5;
            server {
                listen 127.0.0.1:PORT $([ -z "$kind" ] || echo ssl);
                $([ -z "$kind" ] || echo "ssl_certificate cert.pem; ssl_certificate_key key.pem; ssl_protocols TLSv1.2 TLSv1.3;")
                root html;
                location /post { return 200 thanks; }
            }
        }
        END
        done
        """

    @Test(
        "Shows what each client and server say",
        .needs("redis, PostgreSQL, mosquitto, sshd, dnsmasq, nginx and their clients") {
            servers.allSatisfy(\.isInstalled)
        },
        arguments: servers
    )
    func golden(_ server: RelayedServer) async throws {
        let text = Self.inOrderOfFlows(try await server.record())
        let golden = Self.folder + "/\(server.name).txt"
        if getenv("WEIR_UPDATE_GOLDENS") != nil { try Data(text.utf8).write(to: URL(fileURLWithPath: golden)) }
        let wanted = Self.inOrderOfFlows(String(decoding: try TemporaryFolder.read(golden), as: UTF8.self))
        let (lines, others) = (text.split(separator: "\n"), wanted.split(separator: "\n"))
        let place = zip(lines, others).enumerated().first { $1.0 != $1.1 }?.offset ?? min(lines.count, others.count)
        #expect(text == wanted, "from line \(place + 1): \(lines.dropFirst(place).prefix(3))")
        #expect(text.contains("TIME #1 ▲ \(server.protocolName) "))
    }

    /// Puts each flow's lines together: a client may begin before the server has closed the connection of the one before.
    private static func inOrderOfFlows(_ text: String) -> String {
        var lines: [Int: [Substring]] = [:]
        var flow = 0
        for line in text.split(separator: "\n") {
            let word = line.split(separator: " ").prefix(2).last ?? ""
            if line.hasPrefix("TIME #"), let number = Int(word.dropFirst()) { flow = number }
            lines[flow, default: []].append(line)
        }
        return lines.sorted { $0.key < $1.key }.flatMap(\.value).joined(separator: "\n")
    }
}
