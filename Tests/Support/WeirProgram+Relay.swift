import Glibc
package import WeirWire

extension WeirProgram {
    /// Reads standard error up to the lines with the listening endpoints, and returns the endpoints in order.
    ///
    /// - Throws: `HelperError` if another line comes first.
    package func listening(_ count: Int = 1) throws -> [Endpoint] {
        try (0..<count).map { _ in
            var line = try readErrorLine()
            // The machine's limit on descriptors does not matter here.
            while line.hasPrefix("weir: at most ") { line = try readErrorLine() }
            let words = line.split(separator: " ")
            guard words.count >= 3, words[0] == "listening", let endpoint = Endpoint(String(words[2])) else {
                throw HelperError("not a listening line: '\(line)'")
            }
            return endpoint
        }
    }

    /// Returns the launcher that runs another program with the arguments instead of Weir.
    package static func instead(_ program: String) -> [String] { ["sh", "-c", "exec \(program) \"$@\""] }

    /// Sends a signal.
    package func send(_ signal: Int32) { kill(process, signal) }

    /// Asks the program to end, and collects its output up to the end.
    package func stop(_ signal: Int32 = SIGTERM) async throws -> Ended {
        send(signal)
        // The end of its input could end it before the signal does.
        return try await finish(closesInput: false)
    }

    /// Reads standard output, at least until it contains a text.
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
