/// The results of tshark and its companions for a capture.
package enum Tshark {
    /// Options that keep tshark from reading an ephemeral port as a protocol's: 47000 is HCrt's.
    private static let ephemeral = ["udp", "tcp"].flatMap { ["-d", "\($0).port==32768-65535,data"] }
    private static let checks = ["ip", "tcp", "udp"].flatMap { ["-o", "\($0).check_checksum:TRUE"] }

    /// Returns the counts of expert items of severities Warn and Error, with the checksums of IP, TCP and UDP checked.
    package static func complaints(_ path: String, keepsPorts: Bool = false) throws -> [String: Int] {
        let output = try run(["-r", path, "-q", "-z", "expert,warn"] + checks, keepsPorts: keepsPorts)
        var counts: [String: Int] = [:]
        for line in output.split(separator: "\n") {
            let words = line.split(separator: " ", omittingEmptySubsequences: true)
            guard words.count >= 4, let count = Int(words[0]) else { continue }
            counts[words[3...].joined(separator: " "), default: 0] += count
        }
        return counts
    }

    /// Returns fields of each packet, found in two passes; `keyLog` is the path of a file with secrets of TLS.
    ///
    /// With `keepsPorts` checksums are not checked: of real packets on the loopback they are not there.
    package static func fields(
        _ path: String,
        _ names: [String],
        where filter: String = "frame",
        keepsPorts: Bool = false,
        keyLog: String? = nil
    ) throws -> [[String]] {
        let keys = keyLog.map { ["-o", "tls.keylog_file:\($0)"] } ?? []
        let arguments = ["-2", "-r", path, "-Y", filter, "-T", "fields"] + names.flatMap { ["-e", $0] } + keys
        let output = try run(arguments + (keepsPorts ? [] : checks), keepsPorts: keepsPorts || keyLog != nil)
        return output.split(separator: "\n").map { line in
            line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
        }
    }

    /// The bytes that one end of a conversation sent, as tshark reassembles them.
    package struct Followed: Hashable, Sendable {
        /// The endpoint of the sender.
        package var endpoint: String
        package var bytes: [UInt8]
    }

    /// Follows a stream by its number; returns the initiator's end first.
    package static func follow(_ path: String, _ transport: String, _ number: Int) throws -> [Followed] {
        let ends = followed(try run(["-r", path, "-q", "-z", "follow,\(transport),raw,\(number)"]))
        guard ends.count == 1 else { throw HelperError("tshark follows no stream \(number)") }
        return ends[0]
    }

    /// Reads streams, each with its two ends, the initiator first.
    private static func followed(_ output: String) -> [[Followed]] {
        var streams: [[Followed]] = []
        for line in output.split(separator: "\n") {
            if line.hasPrefix("Node "), let colon = line.firstIndex(of: ":") {
                let end = Followed(endpoint: String(line[line.index(colon, offsetBy: 2)...]), bytes: [])
                if line.hasPrefix("Node 0") { streams.append([end]) } else { streams[streams.count - 1].append(end) }
            } else if let last = streams.indices.last, line.utf8.allSatisfy({ $0 == 9 || isHex($0) }) {
                streams[last][line.utf8.first == 9 ? 1 : 0].bytes += bytes(line.utf8.filter { $0 != 9 })
            }
        }
        return streams.filter { $0.count == 2 && $0[0].endpoint != ":0" }
    }

    /// Writes the bytes of a stream's initiator into a file, for streams that are too long to be parsed here.
    package static func follow(_ path: String, _ number: Int, into file: String) throws {
        let script = """
            import sys
            for line in sys.stdin:
                if line[0] in "0123456789abcdef": sys.stdout.buffer.write(bytes.fromhex(line))
            """
        let words = ["tshark"] + ephemeral + ["-r", "'\(path)'", "-q", "-z", "follow,tcp,raw,\(number)"]
        let command = words.joined(separator: " ") + " | python3 -c '\(script)' > '\(file)'"
        let ended = try ChildProgram.run("sh", ["-c", command])
        guard ended.status == 0 else { throw HelperError("tshark: \(ended.output)") }
    }

    /// Returns the number of packets that tcpdump reads.
    package static func tcpdumpCount(_ path: String) throws -> Int {
        let folder = try TemporaryFolder()
        let ended = try ChildProgram.run("tcpdump", ["-nqt", "-r", path], errors: folder.path + "/errors")
        guard ended.status == 0 else { throw HelperError("tcpdump: \(ended.errors)") }
        return ended.output.split(separator: "\n").filter { !$0.hasPrefix("\t") && !$0.hasPrefix(" ") }.count
    }

    /// Returns whether capinfos finds the packets in order of time.
    package static func isInTimeOrder(_ path: String) throws -> Bool {
        let ended = try ChildProgram.run("capinfos", ["-o", path])
        return ended.status == 0 && ended.output.contains("Strict time order:   True")
    }

    /// Runs tshark; with `keepsPorts` it reads ephemeral ports, too, as it does by itself, which finds TLS.
    private static func run(_ arguments: [String], keepsPorts: Bool = false) throws -> String {
        // Standard error has a warning about running as root.
        let folder = try TemporaryFolder()
        let options = (keepsPorts ? [] : ephemeral) + arguments
        let ended = try ChildProgram.run("tshark", options, errors: folder.path + "/errors")
        guard ended.status == 0 else { throw HelperError("tshark \(arguments): \(ended.status)") }
        return ended.output
    }

    private static func isHex(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
    }

    private static func bytes(_ digits: [UInt8]) -> [UInt8] {
        func value(_ digit: UInt8) -> UInt8 { digit < 58 ? digit - 48 : digit - 87 }
        return stride(from: 0, to: digits.count - 1, by: 2).map { value(digits[$0]) << 4 | value(digits[$0 + 1]) }
    }
}
