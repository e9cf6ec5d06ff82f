import Foundation

/// A log of JSON lines.
package struct LogLines {
    /// The objects of the lines, in order.
    package let objects: [[String: Any]]

    /// Parses every line.
    ///
    /// - Throws: `HelperError` if a line is no object, or the last one has no end.
    package init(_ bytes: [UInt8]) throws {
        guard bytes.isEmpty || bytes.last == UInt8(ascii: "\n") else {
            throw HelperError("the last line has no end: \(String(decoding: bytes.suffix(300), as: UTF8.self))")
        }
        objects = try bytes.split(separator: UInt8(ascii: "\n")).map { line in
            guard let object = try? JSONSerialization.jsonObject(with: Data(line)) as? [String: Any] else {
                throw HelperError("not an object: \(String(decoding: line.prefix(300), as: UTF8.self))")
            }
            return object
        }
    }

    /// The names of the events.
    package var events: [String] { objects.compactMap { $0["event"] as? String } }

    /// Returns the objects of one event.
    package func all(_ event: String) -> [[String: Any]] { objects.filter { $0["event"] as? String == event } }

    /// Returns the sum of a number in the objects of one event.
    package func sum(_ key: String, of event: String) -> Int { all(event).reduce(0) { $0 + ($1[key] as? Int ?? 0) } }
}
