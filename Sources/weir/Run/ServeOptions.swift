import ArgumentParser
import WeirRelay

/// The option for the servers whose clients are relayed.
struct ServeOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Relay the clients of the servers that listen on these TCP ports. May be repeated.",
            valueName: "port,..."
        )
    )
    var serve: [String] = []

    /// Reads the ports.
    ///
    /// - Returns: the ports, in their order.
    /// - Throws: `Failure` with 64 if one is wrong, or named twice.
    func ports() throws(Failure) -> [UInt16] {
        var ports: [UInt16] = []
        for text in serve.flatMap({ $0.split(separator: ",", omittingEmptySubsequences: false) }) {
            guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let port = UInt16(text), port > 0 else {
                throw Failure(.usage, "--serve: '\(text)' is no port from 1 to 65535")
            }
            guard !ports.contains(port) else { throw Failure(.usage, "--serve: port \(port) is named twice") }
            ports.append(port)
        }
        return ports
    }
}
