import CWeirBench
import Glibc

/// What a relay is asked to do besides relaying.
enum Watching: Sendable, Equatable {
    /// Nothing is shown and nothing is kept.
    case nothing
    /// The same, and nobody looks for the processes behind the clients, which all are of this machine.
    case nobody
    /// Every byte is shown as hex, into a file.
    case dump
    /// Every chunk is logged, without its bytes, into a file.
    case log
    /// Toxics, as on the command line, are on the route; nothing is shown.
    case toxics([String])
    /// A line for each chunk and message is shown, into a file.
    case lines
    /// A line for each chunk is shown, and thrown away; with one for each message, or without.
    case chunks(dissects: Bool)
    /// The control API is served at a port; nothing is shown.
    case admin(UInt16)
    /// Every byte is recorded as packets, on one leg or on both.
    case record(legs: String)
}

/// A plain TCP route beside the one that is measured, on the same worker.
struct PlainRoute: Sendable, Equatable {
    /// The port to listen on; 0 lets a relay choose that can.
    var port: UInt16 = 0
    /// The port of its server on 127.0.0.1.
    let serverPort: UInt16
}

/// One route that a relay is started for.
struct RelayRequest: Sendable {
    let transport: Socket.Transport
    /// The port of the server on 127.0.0.1.
    let serverPort: UInt16
    /// Worker threads or processes.
    let workers: Int
    /// The most flows at once.
    let flows: Int
    let watching: Watching
    /// The folder for the relay's files.
    let folder: String
    /// Whether both legs speak TLS.
    var isSecured = false
    /// A plain TCP route beside it; nil for none.
    var plain: PlainRoute?

    /// Where the relay's standard output goes.
    var outputPath: String { watching == .dump || watching == .lines ? "\(folder)/output" : "/dev/null" }
    /// Where the relay's standard error goes.
    var errorPath: String { "\(folder)/errors" }
    /// Where the certificate and the key are that clients of TLS see, or those of the authority that signs what they see.
    var certificatePath: String { "\(folder)/certificate.pem" }
    var authorityPath: String { "\(folder)/authority.pem" }
    /// Where the log goes.
    var logPath: String { "\(folder)/log" }
    /// Where the capture goes: into memory, where that can be.
    static var recordPath: String {
        let folder = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        return "\(folder)/weir-bench-\(getpid()).pcapng"
    }
}

/// A relay that can be measured.
protocol Peer: Sendable {
    /// The name in the tables.
    var name: String { get }
    /// The program, looked for on PATH.
    var program: String { get }
    /// The arguments that make it print its version.
    var versionArguments: [String] { get }
    /// Whether it takes port 0 and says which one it got.
    var choosesPort: Bool { get }
    /// How long it may take to listen, in seconds.
    var patienceSeconds: Double { get }

    /// Says why it cannot do this; nil when it can.
    func refusal(transport: Socket.Transport, flows: Int) -> String?

    /// Writes the configuration and returns how to start it in the foreground.
    func launch(program: String, port: UInt16, request: RelayRequest) throws(BenchError) -> Launch
}

extension RelayRequest {
    /// Writes the files that a relay with TLS is given.
    func writeCertificates() throws(BenchError) {
        guard weir_bench_tls_write_pem(certificatePath, false), weir_bench_tls_write_pem(authorityPath, true) else {
            throw .load("no certificates can be made in \(folder)")
        }
    }
}

extension Peer {
    var program: String { name }
    var versionArguments: [String] { ["--version"] }
    var choosesPort: Bool { false }
    var patienceSeconds: Double { 5 }

    func refusal(transport: Socket.Transport, flows: Int) -> String? { nil }
}
