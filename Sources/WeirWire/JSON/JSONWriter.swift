/// A writer of JSON on one line into a byte buffer: it knows when a comma is due.
///
///     output.appendJSONLine { json in
///         json.member("flow", 7)
///         json.object("range") { json in json.member("low", 32_768) }
///     }
///
/// appends `{"flow":7,"range":{"low":32768}}` and a line feed. Members keep the order of the calls. Nothing is allocated
/// but the buffer's room.
///
/// Keys are known at compile time and need no escapes; only `member(named:_:)` takes one that does.
///
/// Source: RFC 8259.
@usableFromInline
package struct JSONWriter: ~Copyable {
    @usableFromInline var output: ByteBuffer
    /// Whether the next key or element follows another one.
    @usableFromInline var isCommaDue = false

    @inlinable
    init(_ output: consuming ByteBuffer) {
        self.output = output
    }

    @inlinable
    consuming func finish() -> ByteBuffer { output }
}

// MARK: - Members

extension JSONWriter {
    /// Appends a member of an object.
    @inlinable
    @inline(__always)
    package mutating func member(_ key: StaticString, _ value: some JSONScalar) {
        begin(key)
        value.appendJSON(to: &output)
        isCommaDue = true
    }

    /// Appends a member whose key is not known at compile time, and may need escapes.
    @inlinable
    package mutating func member(named key: String, _ value: some JSONScalar) {
        begin(named: key)
        value.appendJSON(to: &output)
        isCommaDue = true
    }

    /// Appends a member whose value is the elements of a list.
    @inlinable
    package mutating func member(_ key: StaticString, _ elements: [some JSONScalar]) {
        array(key) { json in
            for element in elements { json.element(element) }
        }
    }

    /// Appends a member with text, given in UTF-8; escapes what JSON requires, and passes invalid bytes on.
    @inlinable
    package mutating func member(_ key: StaticString, utf8 text: RawSpan) {
        begin(key)
        output.appendQuoted(text)
        isCommaDue = true
    }

    /// Appends a member with bytes in base64.
    @inlinable
    package mutating func member(_ key: StaticString, base64 bytes: RawSpan) {
        member(key) { $0.appendBase64(bytes) }
    }

    /// Appends a member with text that a closure appends, which needs no escapes.
    @inlinable
    @inline(__always)
    package mutating func member(_ key: StaticString, quoting body: (inout ByteBuffer) -> Void) {
        begin(key)
        output.append(UInt8(ascii: "\""))
        body(&output)
        output.append(UInt8(ascii: "\""))
        isCommaDue = true
    }

    /// Appends a member with an object, whose members a closure appends.
    @inlinable
    @inline(__always)
    package mutating func object(_ key: StaticString, _ body: (inout JSONWriter) -> Void) {
        begin(key)
        object(body)
    }

    /// Appends a member with an array, whose elements a closure appends.
    @inlinable
    @inline(__always)
    package mutating func array(_ key: StaticString, _ body: (inout JSONWriter) -> Void) {
        begin(key)
        array(body)
    }

    /// Appends the key of a member, whose value must follow.
    @inlinable
    @inline(__always)
    mutating func begin(_ key: StaticString) {
        let count = key.utf8CodeUnitCount
        output.reserve(count &+ 4)
        var place = output.end
        if isCommaDue {
            output.storage.storeBytes(of: UInt8(ascii: ","), toByteOffset: place, as: UInt8.self)
            place &+= 1
        }
        output.storage.storeBytes(of: UInt8(ascii: "\""), toByteOffset: place, as: UInt8.self)
        (output.storage + place + 1).copyMemory(from: key.utf8Start, byteCount: count)
        place &+= count &+ 1
        output.storage.storeBytes(of: UInt8(ascii: "\""), toByteOffset: place, as: UInt8.self)
        output.storage.storeBytes(of: UInt8(ascii: ":"), toByteOffset: place &+ 1, as: UInt8.self)
        output.end = place &+ 2
        isCommaDue = false
    }

    /// Appends the key of a member, whose value must follow, with escapes if it needs them.
    @inlinable
    mutating func begin(named key: some JSONScalar) {
        separate()
        key.appendJSON(to: &output)
        output.append(UInt8(ascii: ":"))
        isCommaDue = false
    }
}

// MARK: - Elements

extension JSONWriter {
    /// Appends an element of an array, or the only value.
    @inlinable
    package mutating func element(_ value: some JSONScalar) {
        separate()
        value.appendJSON(to: &output)
        isCommaDue = true
    }

    /// Appends an object, whose members a closure appends.
    @inlinable
    package mutating func object(_ body: (inout JSONWriter) -> Void) {
        separate()
        output.append(UInt8(ascii: "{"))
        isCommaDue = false
        body(&self)
        output.append(UInt8(ascii: "}"))
        isCommaDue = true
    }

    /// Appends an array, whose elements a closure appends.
    @inlinable
    package mutating func array(_ body: (inout JSONWriter) -> Void) {
        separate()
        output.append(UInt8(ascii: "["))
        isCommaDue = false
        body(&self)
        output.append(UInt8(ascii: "]"))
        isCommaDue = true
    }

    @inlinable
    @inline(__always)
    mutating func separate() {
        if isCommaDue { output.append(UInt8(ascii: ",")) }
    }
}

extension ByteBuffer {
    /// Appends JSON that a closure writes.
    @inlinable
    package mutating func appendJSON(_ body: (inout JSONWriter) -> Void) {
        var json = JSONWriter(self)
        body(&json)
        self = json.finish()
    }

    /// Appends an object, whose members a closure appends, and a line feed.
    @inlinable
    package mutating func appendJSONLine(_ body: (inout JSONWriter) -> Void) {
        appendJSON { $0.object(body) }
        append(UInt8(ascii: "\n"))
    }
}

extension JSONWriter {
    /// Appends a member with a time, given in ns since 1970 UTC, in the form of RFC 3339; or null.
    package mutating func member(_ key: StaticString, _ nanoseconds: Int64?, by timestamp: inout Timestamp) {
        guard let nanoseconds else { return member(key, nil as Int?) }
        member(key) { timestamp.appendRFC3339(nanoseconds, to: &$0) }
    }
}
