/// Keeps elements at places that stay the same for their life; a place's generation tells its tenants apart.
struct SlotTable<Element> {
    private var elements: [Element?] = []
    private var generations: [UInt32] = []
    private var free: [Int] = []
    /// Counts the elements.
    private(set) var count = 0

    /// Finds a place, and puts in it what is made for it.
    mutating func insert(_ make: (_ place: Int, _ generation: UInt32) -> Element) -> Element {
        let place = free.popLast() ?? elements.count
        if place == elements.count {
            elements.append(nil)
            generations.append(0)
        }
        let element = make(place, generations[place])
        elements[place] = element
        count += 1
        return element
    }

    mutating func remove(at place: Int) {
        guard elements[place] != nil else { return }
        elements[place] = nil
        generations[place] = (generations[place] + 1) & 0xFF_FFFF
        free.append(place)
        count -= 1
    }

    /// Returns the element that a token was made for, while it is there.
    subscript(token: Token) -> Element? {
        let place = token.place
        return place < elements.count && generations[place] == token.generation ? elements[place] : nil
    }

    /// Returns the element at a place.
    subscript(place: Int) -> Element? { elements[place] }

    /// Lists the elements.
    var all: [Element] { elements.compactMap { $0 } }
}
