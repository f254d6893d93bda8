const price = '42 000 €';
