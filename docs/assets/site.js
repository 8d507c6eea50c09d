// The theme gives its search no name.
document.querySelector(".md-search")?.setAttribute("aria-label", "Search");
