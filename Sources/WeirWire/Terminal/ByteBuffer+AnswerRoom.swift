extension ByteBuffer {
    /// Cuts the text of a request at the end of a line on a terminal, so that its answer begins on the same line: a status
    /// matters more than the end of a path.
    ///
    /// - Parameters:
    ///   - answer: The text of the answer, which follows after an arrow.
    ///   - start: The beginning of the line.
    ///   - text: The beginning of the request's text, which ends here.
    ///   - style: The reader.
    ///   - color: The sequence of the line's color, which is set again after a cut.
    public mutating func makeRoom(
        for answer: MessageText,
        from start: Int,
        after text: Int,
        _ style: TerminalStyle,
        then color: StaticString
    ) {
        guard let width = style.width else { return }
        let (mostOfAnswer, leastOfRequest, arrow, time) = (24, 8, 4, 12)
        let needed = min(DisplayWidth.columns(of: answer.utf8.span.bytes), mostOfAnswer) + arrow + time
        let before = columns(from: start) - columns(from: text)
        let room = max(width - before - needed, leastOfRequest)
        endCell(from: text, room, atLeast: 0, style, then: style.color ? color : "")
    }
}
