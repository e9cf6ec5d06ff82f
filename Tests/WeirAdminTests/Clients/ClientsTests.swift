import Foundation
import Support
import Testing
import WeirRelay
import WeirWire

@testable import WeirAdmin

/// Steers a relay with programs that others have written.
@Suite("Clients of the control API", .tags(.network, .slow), .timeLimit(.minutes(5)))
struct ClientsTests {
    /// Names a program of the virtual environment that `Scripts/setup.sh --tests` makes.
    private static func python(_ program: String) -> String {
        let environment = ProcessInfo.processInfo.environment["WEIR_TEST_PYTHON"]
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().path
        return (environment ?? root + "/.build/python") + "/bin/" + program
    }

    private static func beside(_ name: String) -> String {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(name).path
    }

    private static let hasPython = FileManager.default.isExecutableFile(atPath: python("st"))

    @Test(
        "The package toxiproxy-python drives it",
        .needs("Scripts/setup.sh --tests", if: { hasPython })
    )
    func runsToxiproxyPython() async throws {
        try await withRelay("tcp:0") { echo, _ in
            try await withAdmin { admin in
                let arguments = [
                    Self.python("python"), Self.beside("drive_toxiproxy.py"), "\(admin.server.endpoint.port)",
                    "\(echo.endpoint)",
                ]
                let ended = try await runThread { try ChildProgram.run("env", arguments) }
                #expect(ended.status == 0 && ended.output.hasSuffix("done\n"), "\(ended.output)")
            }
        }
    }

    @Test("Prometheus's promtool has nothing to say about the metrics", .needsProgram("promtool"))
    func runsPromtool() async throws {
        try await withAdmin(["tcp:0", "udp:0"]) { admin in
            let quoted = #"{"name":"a \"quoted\"\\ name\n","listen":"127.0.0.1:0","upstream":"127.0.0.1:9"}"#
            #expect(try await admin.call("POST", "/proxies", quoted).status == 201)
            let folder = try TemporaryFolder()
            let text = try await admin.call("GET", "/metrics")
            #expect(text.header("content-type") == PrometheusText.contentType)
            let file = try folder.file("metrics", text.body)
            let ended = try await runThread { try ChildProgram.run("sh", ["-c", "promtool check metrics < \(file)"]) }
            #expect(ended.status == 0 && ended.output.isEmpty, "\(ended.output)")
        }
    }

    @Test(
        "Prometheus scrapes it, with a value for each direction of a proxy",
        .needsRoot,
        .needsProgram("prometheus"),
        .needsProgram("curl")
    )
    func isScraped() async throws {
        let program = try WeirProgram.path()
        let folder = try TemporaryFolder()
        let script = """
            cd "\(folder.path)"
            ip link set lo up
            printf '%s\\n' 'scrape_configs:' '- job_name: weir' '  scrape_interval: 1s' \
                "  static_configs: [{targets: ['127.0.0.1:8474']}]" >scrape.yml
            "\(program)" relay --admin default --show none tcp:9000=127.0.0.1:9 2>log & relay=$!
            prometheus --config.file=scrape.yml --storage.tsdb.path=data --web.listen-address=127.0.0.1:9090 2>errors &
            trap "kill $relay $!; wait" EXIT
            for _ in $(seq 300); do
                curl -s 127.0.0.1:9090/api/v1/query --data-urlencode 'query=weir_bytes_total{proxy="tcp-9000"}' >answer
                grep -q '"direction":"upstream"' answer && break
                sleep 0.1
            done
            cat answer
            curl -s 127.0.0.1:9090/api/v1/targets
            """
        let ended = try await runThread { try ChildProgram.run("unshare", ["-n", "bash", "-c", script]) }
        for part in [#""direction":"upstream""#, #""direction":"downstream""#, #""lastError":"""#, #""health":"up""#] {
            #expect(ended.output.contains(part), "\(part): \(ended.output)")
        }
    }

    @Test(
        "schemathesis finds nothing in what the document describes",
        .needs("Scripts/setup.sh --tests", if: { hasPython }),
        .needsRoot,
        .enabled(if: !TestSize.isSanitized)
    )
    func runsSchemathesis() async throws {
        // In a network of its own: an empty `listen` opens a port on every address.
        let program = try WeirProgram.path()
        let folder = try TemporaryFolder()
        let script = """
            ip link set lo up
            "\(program)" relay --admin default --show none --captures-folder "\(folder.path)" 2>"\(folder.path)/log" &
            relay=$!
            trap 'kill $relay' EXIT
            for _ in $(seq 100); do grep -q 'listening admin' "\(folder.path)/log" && break; sleep 0.1; done
            cd "\(folder.path)"
            "\(Self.python("st"))" --config-file "\(Self.beside("schemathesis.toml"))" \
                run http://127.0.0.1:8474/v1/openapi.json --continue-on-failure --no-color --seed 1 \
                --phases examples,coverage,fuzzing --max-examples 10 --warnings off
            """
        let ended = try await runThread { try ChildProgram.run("unshare", ["-n", "bash", "-c", script]) }
        #expect(ended.status == 0, "\(ended.output)")
    }
}
