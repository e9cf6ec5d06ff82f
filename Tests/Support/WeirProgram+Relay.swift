import Glibc
package import WeirWire

extension WeirProgram {
    /// Reads standard error up to the lines that say where the program listens, and returns the endpoints, in order.
    ///
    /// - Throws: `HelperError` where another line comes first.
    package func listening(_ count: Int = 1) throws -> [Endpoint] {
        try (0..<count).map { _ in
            var line = try readErrorLine()
            // A machine's descriptor limit is no matter here.
            while line.hasPrefix("weir: at most ") { line = try readErrorLine() }
            let words = line.split(separator: " ")
            guard words.count >= 3, words[0] == "listening", let endpoint = Endpoint(String(words[2])) else {
                throw HelperError("not a listening line: '\(line)'")
            }
            return endpoint
        }
    }

    /// Is the launcher that runs another program with the arguments, in the place of Weir.
    package static func instead(_ program: String) -> [String] { ["sh", "-c", "exec \(program) \"$@\""] }

    /// Sends a signal.
    package func send(_ signal: Int32) { kill(process, signal) }

    /// Asks the program to end, and collects everything until it has.
    package func stop(_ signal: Int32 = SIGTERM) async throws -> Ended {
        send(signal)
        return try await finish()
    }

    /// Reads standard output, at least until what was read holds a text.
    package func readOutput(through text: String) throws -> String {
        var bytes: [UInt8] = []
        while true {
            try deadline.wait(for: output, POLLIN)
            guard let part = try readOnce(output, 1 << 16) else { continue }
            bytes += part
            let read = String(decoding: bytes, as: UTF8.self)
            if read.contains(text) { return read }
            if part.isEmpty { throw HelperError("the output ended without '\(text)': \(read)") }
        }
    }
}
