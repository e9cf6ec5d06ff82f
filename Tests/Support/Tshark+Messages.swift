import Foundation
import Synchronization

/// What the messages of many captures say.
extension Tshark {
    /// Returns the values of fields in captures that Weir reads, by the captures' names and the fields' places.
    ///
    /// Packets of link types that Weir does not read are left out, and so are those whose messages an ICMP error quotes.
    package static func messages(
        of captures: [(name: String, bytes: [UInt8])],
        _ fields: [String]
    ) throws -> [String: [[String]]] {
        let folder = try TemporaryFolder()
        let batches = try batches(captures.map { try Capture($0.name, $0.bytes) })
        let results = Mutex<[Result<[String: [[String]]], any Error>]>([])
        DispatchQueue.concurrentPerform(iterations: batches.count) { index in
            let result = Result { try messages(of: batches[index].captures, "\(index).pcapng", in: folder, fields) }
            results.withLock { $0.append(result) }
        }
        var all: [String: [[String]]] = [:]
        for result in results.withLock({ $0 }) { all.merge(try result.get()) { first, _ in first } }
        return all
    }

    private static func messages(
        of captures: [Capture],
        _ name: String,
        in folder: TemporaryFolder,
        _ fields: [String]
    ) throws -> [String: [[String]]] {
        let file = try folder.file(name, joined(captures))
        let wanted = (["frame.number", "frame.protocols"] + fields).flatMap { ["-e", $0] }
        let form = ["-T", "fields", "-E", "occurrence=a", "-E", "aggregator=\u{1}"]
        let ended = try ChildProgram.run("tshark", ["-n", "-r", file] + form + wanted, errors: file + ".errors")
        guard ended.status == 0 else { throw HelperError("tshark: \(ended.errors.suffix(400))") }
        var all: [String: [[String]]] = [:]
        var (place, end) = (-1, 0)
        for line in ended.output.split(separator: "\n") {
            let parts = line.split(separator: "\t", omittingEmptySubsequences: false)
            guard parts.count == fields.count + 2, let number = Int(parts[0]) else { continue }
            while number > end, place + 1 < captures.count {
                place += 1
                end += captures[place].packets.count
            }
            guard !parts[1].contains(":icmp") else { continue }
            var values = all[captures[place].name] ?? Array(repeating: [], count: fields.count)
            for (index, part) in parts.dropFirst(2).enumerated() where !part.isEmpty {
                values[index] += part.split(separator: "\u{1}", omittingEmptySubsequences: false).map(String.init)
            }
            all[captures[place].name] = values
        }
        return all
    }
}
