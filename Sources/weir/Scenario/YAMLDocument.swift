#if Scenarios
import CYaml

/// A whole YAML document in memory, read by libyaml.
///
/// Aliases are not expanded: an alias is the node to which it refers, so one that refers to a node around itself, or
/// thousands that refer to one another, cost nothing until they are walked.
final class YAMLDocument {
    /// The error of a text that is not one YAML document.
    struct Wrong: Error, CustomStringConvertible {
        /// The line, counted from 1.
        var line: Int
        var reason: String

        var description: String { "line \(line): \(reason)" }
    }

    /// A node, which keeps its document alive.
    struct Node {
        fileprivate let document: YAMLDocument
        fileprivate let node: UnsafeMutablePointer<yaml_node_t>
    }

    private var document = yaml_document_t()

    private init() {}

    deinit { yaml_document_delete(&document) }

    /// Reads a text.
    ///
    /// - Parameter text: UTF-8.
    /// - Returns: the root of its one document; nil if there is none.
    /// - Throws: `Wrong` if the text is not YAML, or has a second document.
    static func read(_ text: String) throws(Wrong) -> Node? {
        var text = text
        let result: Result<Node?, Wrong> = text.withUTF8 { bytes in
            var parser = yaml_parser_t()
            guard yaml_parser_initialize(&parser) == 1 else {
                return .failure(Wrong(line: 1, reason: "there is no memory"))
            }
            defer { yaml_parser_delete(&parser) }
            yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING)
            yaml_parser_set_input_string(&parser, bytes.baseAddress, bytes.count)
            return Result { () throws(Wrong) in try root(&parser) }
        }
        return try result.get()
    }

    private static func root(_ parser: inout yaml_parser_t) throws(Wrong) -> Node? {
        guard let first = try next(&parser) else { return nil }
        if let second = try next(&parser) {
            throw Wrong(line: second.line, reason: "there is a second document; a scenario is one")
        }
        return first
    }

    private static func next(_ parser: inout yaml_parser_t) throws(Wrong) -> Node? {
        let made = YAMLDocument()
        guard yaml_parser_load(&parser, &made.document) == 1 else {
            let reason = parser.problem.map { String(cString: $0) } ?? "cannot be read"
            throw Wrong(line: Int(parser.problem_mark.line) + 1, reason: reason)
        }
        return yaml_document_get_root_node(&made.document).map { Node(document: made, node: $0) }
    }

    fileprivate func node(_ index: Int32) -> Node? {
        yaml_document_get_node(&document, index).map { Node(document: self, node: $0) }
    }
}

extension YAMLDocument.Node {
    /// The line where it begins, counted from 1.
    var line: Int { Int(node.pointee.start_mark.line) + 1 }

    /// A scalar's text, whatever its style.
    var string: String? {
        guard node.pointee.type == YAML_SCALAR_NODE else { return nil }
        let scalar = node.pointee.data.scalar
        return String(decoding: UnsafeBufferPointer(start: scalar.value, count: scalar.length), as: UTF8.self)
    }

    /// A plain scalar's integer: decimal, `0x` or `0o` (YAML 1.2 section 10.3.2).
    var int: Int? {
        guard isPlain, let text = string else { return nil }
        if text.hasPrefix("0x") { return Int(text.dropFirst(2), radix: 16) }
        if text.hasPrefix("0o") { return Int(text.dropFirst(2), radix: 8) }
        return Int(text)
    }

    /// A plain scalar's number.
    var float: Double? {
        guard isPlain, let text = string else { return nil }
        guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) || "+-.eE".utf8.contains($0) }) else {
            return int.map(Double.init)
        }
        return Double(text)
    }

    private var isPlain: Bool {
        node.pointee.type == YAML_SCALAR_NODE && node.pointee.data.scalar.style == YAML_PLAIN_SCALAR_STYLE
    }

    /// A sequence's items.
    var sequence: [YAMLDocument.Node]? {
        guard node.pointee.type == YAML_SEQUENCE_NODE else { return nil }
        let items = node.pointee.data.sequence.items
        return UnsafeBufferPointer(start: items.start, count: items.top - items.start).compactMap(document.node)
    }

    /// A mapping's keys and values, in order; a key may occur twice.
    var mapping: [(key: YAMLDocument.Node, value: YAMLDocument.Node)]? {
        guard node.pointee.type == YAML_MAPPING_NODE else { return nil }
        let pairs = node.pointee.data.mapping.pairs
        return UnsafeBufferPointer(start: pairs.start, count: pairs.top - pairs.start).compactMap { pair in
            guard let key = document.node(pair.key), let value = document.node(pair.value) else { return nil }
            return (key, value)
        }
    }
}
#endif
